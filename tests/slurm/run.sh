#!/usr/bin/env bash
# Runs deploy/slurm/encode.sh for real: Slurm's controller and one node on this machine, four array tasks, the process of one of them killed
# with SIGKILL, so that it is queued again; the merged feature set has to be the bytes of one run. Wants root, Debian's slurm-wlm and munge,
# and a build. Exit code 77: this machine does not let it run. All that it starts ends with it, and all that it writes lies in a folder of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
program="dotnet ${CLIPOOD_PROGRAM:-$root/lib/ClipOod.Runner/bin/Release/net10.0/clipood.dll}"
work=$(mktemp -d /tmp/clipood-slurm.XXXXXX)
chmod 755 "$work"
pids=()
finish() {
  local code=$?
  for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null || true; done
  wait 2> /dev/null || true
  if [ "$code" -ne 0 ]; then tail -n 20 "$work"/*.log >&2 || true; fi
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

# Noise, of which no two pictures are equal; 1,600 of them are seven chunks.
python3 - "$work/images" << 'PYTHON'
import pathlib, random, struct, sys, zlib
rng = random.Random(7)
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
for i in range(1600):
    path = pathlib.Path(sys.argv[1]) / f"class{i % 4}" / f"{i:05d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = b"".join(b"\0" + rng.randbytes(192) for _ in range(64))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))
PYTHON

host=$(hostname -s)
mkdir -p "$work/state" "$work/spool"
dd if=/dev/urandom of="$work/munge.key" bs=128 count=1 2> /dev/null
chmod 400 "$work/munge.key"
cat > "$work/slurm.conf" << CONF
ClusterName=clipood
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$((20000 + $$ % 20000))
SlurmdPort=$((40000 + $$ % 20000))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$work/munge.socket,cred_expire=3
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobRequeue=1
ReturnToService=2
MpiDefault=none
SchedulerParameters=batch_sched_delay=1,sched_interval=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$work/slurm.conf"
munged=$(command -v munged || echo /usr/sbin/munged)
"$munged" --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munged.pid" --seed-file="$work/munged.seed" --log-file="$work/munged.log" > "$work/munge-out.log" 2>&1 &
pids+=($!)
for _ in $(seq 50); do [ -S "$work/munge.socket" ] && break; sleep 0.2; done
/usr/sbin/slurmctld -D -f "$SLURM_CONF" > "$work/ctl-out.log" 2>&1 &
pids+=($!)
/usr/sbin/slurmd -D -f "$SLURM_CONF" -N "$host" > "$work/node-out.log" 2>&1 &
pids+=($!)
for _ in $(seq 120); do [ "$(sinfo -h -o %T 2> /dev/null)" = idle ] && break; sleep 0.5; done
sinfo || true
[ "$(sinfo -h -o %T)" = idle ] || { echo "Slurm's node does not come up on this machine." >&2; exit 77; }

export CLIPOOD="$program" CLIPOOD_MODEL="$root/data/pictograms/models/base" CLIPOOD_IMAGES="$work/images" CLIPOOD_NAME=noise CLIPOOD_OUTPUT="$work/shards"
$program encode --model "$CLIPOOD_MODEL" --data "$CLIPOOD_IMAGES" --name noise --output "$work/one" > "$work/one.log" 2>&1

job=$(sbatch --parsable --array=1-4 --cpus-per-task=1 --mem=0 --chdir="$work" deploy/slurm/encode.sh)
echo "array $job"
killed=""
for _ in $(seq 1200); do
  if [ -z "$killed" ]; then
    for pid in $(scontrol listpids 2> /dev/null | awk '{ print $1 }' | grep -x '[0-9]*' || true); do
      if tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null | grep -q -- "clipood.dll encode .*--shard 2/4"; then
        sleep 1
        kill -KILL "$pid" 2> /dev/null && killed=$pid && echo "killed the process of task 2"
        break
      fi
    done
  fi
  [ -n "$(squeue -h -j "$job" 2> /dev/null)" ] || break
  sleep 0.5
done
[ -n "$killed" ] || { echo "Task 2 ended before it could be killed: nothing was proved." >&2; exit 77; }
grep -q "queued again" "$work"/clipood-encode-*_2.log || { echo "Task 2 was not queued again." >&2; exit 1; }
tail -n 3 "$work"/clipood-encode-*_2.log
sbatch --wait --chdir="$work" --mem=0 deploy/slurm/merge.sh
cmp "$work/shards/noise-all.safetensors" "$work/one/noise-all.safetensors"
echo "The merged shards are the bytes of one run."
