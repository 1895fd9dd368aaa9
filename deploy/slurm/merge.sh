#!/usr/bin/env bash
#SBATCH --job-name=clipood-merge
#SBATCH --mem=8G
#SBATCH --output=%x-%j.log
#
# Makes one feature set of the shards that encode.sh made; says which are missing.
set -eu
${CLIPOOD:-clipood} merge "$CLIPOOD_OUTPUT"
