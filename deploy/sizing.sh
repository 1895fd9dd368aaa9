#!/usr/bin/env bash
# Measures how fast this machine encodes, and tells what ImageNet-1k takes: deploy/sizing.sh MODEL FOLDER [TASKS...]
#
# MODEL and FOLDER are those of clipood encode: 512 images of the folder are encoded twice, so that what the start takes can be taken off
# (the second time half as many), and the rest is computed: hours = images / images a second / tasks.
set -euo pipefail
[ $# -ge 2 ] || { echo "Usage: deploy/sizing.sh MODEL FOLDER [TASKS...]" >&2; exit 2; }
model=$1 images=$2
shift 2
clipood=${CLIPOOD:-$(cd "$(dirname "$0")/.." && pwd)/clipood}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/half" "$work/whole"
find -L "$images" -type f \( -iname '*.jpg' -o -iname '*.jpeg' -o -iname '*.png' \) > "$work/all.txt"
head -n 512 "$work/all.txt" > "$work/list.txt"
count=$(wc -l < "$work/list.txt")
[ "$count" -ge 512 ] || { echo "$images holds $count JPEG and PNG images, expected at least 512." >&2; exit 2; }
i=0
while IFS= read -r file; do
  i=$((i + 1))
  link=$(printf '%06d.%s' "$i" "${file##*.}")
  ln -s "$(realpath "$file")" "$work/whole/$link"
  [ "$i" -gt 256 ] || ln -s "$(realpath "$file")" "$work/half/$link"
done < "$work/list.txt"

run() { # folder: seconds and the largest memory in kilobytes
  local began ended peak=0 now pid
  began=$(date +%s.%N)
  $clipood encode --model "$model" --data "$work/$1" --output "$work/out-$1" > "$work/log-$1.txt" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2> /dev/null; do
    for child in "$pid" $(pgrep -P "$pid" || true); do
      now=$(awk '/VmHWM/ { print $2 }' "/proc/$child/status" 2> /dev/null || true)
      [ "${now:-0}" -le "$peak" ] || peak=$now
    done
    sleep 0.5
  done
  wait "$pid" || { cat "$work/log-$1.txt" >&2; exit 1; }
  ended=$(date +%s.%N)
  echo "$began $ended $peak"
}
read -r a b _ < <(run half)
read -r c d peak < <(run whole)
awk -v half="$(awk "BEGIN { print $b - $a }")" -v whole="$(awk "BEGIN { print $d - $c }")" -v peak="$peak" -v cores="$(nproc)" -v tasks="${*:-1 8 64}" 'BEGIN {
  if (whole <= half) { print "The machine is too busy to measure on: twice the images took no longer. Try again." > "/dev/stderr"; exit 1 }
  rate = 256 / (whole - half)
  printf "%.1f images a second on %d processors, %.1f s to start, %.1f GB of memory\n", rate, cores, half - 256 / rate, peak / 1e6
  n = split(tasks, list, " ")
  for (i = 1; i <= n; i++) printf "%3d such tasks: ImageNet-1k val (50,000 images) %.1f h, train (1,281,167 images) %.1f h\n", list[i], 50000 / rate / list[i] / 3600, 1281167 / rate / list[i] / 3600
}'
