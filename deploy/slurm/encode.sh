#!/usr/bin/env bash
#SBATCH --job-name=clipood-encode
#SBATCH --array=1-8
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%A_%a.log
#
# Encodes a data set in as many shards as the array has tasks, all into one folder. A task that is killed, preempted or loses its node is
# queued again and goes on where it was. merge.sh makes one feature set of the shards:
#
#   export CLIPOOD_MODEL=openai-vit-b-32 CLIPOOD_IMAGES=/data/imagenet CLIPOOD_NAME=imagenet-1k CLIPOOD_SPLIT=val CLIPOOD_OUTPUT=/scratch/features
#   job=$(sbatch --parsable deploy/slurm/encode.sh)
#   sbatch --dependency=afterok:$job deploy/slurm/merge.sh
#
# CLIPOOD is the command, /path/to/repository/clipood where it is not said. All tasks want one kind of processor and one number of them:
# another kind rounds otherwise, and shards of two kinds are merged, but are not the bytes of one run.
set -u
mkdir -p "$CLIPOOD_OUTPUT"
${CLIPOOD:-clipood} encode \
  --model "$CLIPOOD_MODEL" --data "$CLIPOOD_IMAGES" ${CLIPOOD_NAME:+--name "$CLIPOOD_NAME"} ${CLIPOOD_SPLIT:+--split "$CLIPOOD_SPLIT"} \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --output "$CLIPOOD_OUTPUT"
code=$?

# Killed, as by a lack of memory: once more, but not for ever. Bad input (2) would be as bad again.
if [ "$code" -ge 128 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ]; then
  echo "Ended with $code: queued again."
  scontrol requeue "$SLURM_JOB_ID"
  sleep 60
fi
exit "$code"
