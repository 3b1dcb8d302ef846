#!/bin/bash
# The guard: outlives the agent and heals what it leaves. A shell, because it must cost next to
# nothing; it only watches, and starts the offline healer when nobody else heals.
#
#   guard.sh STATE AGENT_PID AGENT_BIRTH_TICKS NODE [FLAGS ...] HEALER
#
# File descriptor 3 is a pipe whose other end only the agent holds. Lines on it:
#   due MS   the agent must be heard of again before this instant (CLOCK_BOOTTIME)
#   due none nothing is in force
#   quit     the agent ended, and left nothing
# The environment's GUARD_GROUPS has two lines for each control group to live in: its directory, and
# that of the group we come from.
# End of file: the agent is dead. Silence past an instant and a moment: it hangs, if it is stopped;
# if it is not, it may only be starved of CPU (by a fault, even) and gets three seconds more.
set -u
state=$1 agent=$2 birth=$3
shift 3
grace_ms=250
patience_ms=4000
due=none

# /proc/uptime is CLOCK_BOOTTIME in seconds with two digits (proc_uptime(5)); no process is started.
boot_ms() {
  local up rest
  read -r up rest </proc/uptime
  now_ms=$((10#${up/./} * 10))
}

say() { printf '%s guard %s: %s\n' "$now_ms" "$$" "$1"; }

# The last to be killed for want of memory, where we may say so.
{ echo -900 >/proc/self/oom_score_adj; } 2>/dev/null

# In control groups of its own: what kills, freezes or limits the agent's does not reach the guard.
mapfile -t groups <<<"${GUARD_GROUPS-}"
unset GUARD_GROUPS
enter() {
  local i
  for ((i = 0; i + 1 < ${#groups[@]}; i += 2)); do
    { echo $$ >"${groups[i]}/cgroup.procs"; } 2>/dev/null
  done
}
enter

# Out of them again, so that they can be removed: to where we came from, or to what is above.
leave() {
  local i own
  for ((i = 0; i + 1 < ${#groups[@]}; i += 2)); do
    own=${groups[i]}
    { echo $$ >"${groups[i + 1]}/cgroup.procs" || echo $$ >"${own%/*}/cgroup.procs"; } 2>/dev/null
    rmdir "$own" 2>/dev/null
  done
}

# takeover dead|hung HEALER...: until it is done. The healer leaves all to an agent that is back.
takeover() {
  local pause=1 reason=$1
  shift
  boot_ms
  say "the agent, pid $agent, is $reason: healing"
  local kill=()
  [ "$reason" = hung ] && kill=(--kill "$agent:$birth")
  until "$@" --state "$state" "${kill[@]}"; do
    boot_ms
    # Without its journal nobody can tell what to heal, now or later.
    if [ ! -d "$state" ]; then
      say "$state is gone, and with it what there was to heal: 'faultline doctor' looks"
      leave
      exit 1
    fi
    say "healing failed; again in $pause s"
    sleep "$pause"
    [ "$pause" -lt 30 ] && pause=$((pause * 2))
  done
  boot_ms
  say 'done'
  leave
  exit 0
}

# Whether the agent is stopped: the field after the name in parentheses (proc_pid_stat(5)).
stopped() {
  local stat
  read -r stat <"/proc/$agent/stat" || return 1
  stat=${stat##*) }
  [ "${stat:0:1}" = T ] || [ "${stat:0:1}" = t ]
} 2>/dev/null

while :; do
  boot_ms
  # Looks again now and then: the timeout of read stands still while the machine is suspended.
  wait_ms=10000
  if [ "$due" != none ]; then
    left_ms=$((due + grace_ms - now_ms))
    if [ "$left_ms" -le 0 ]; then
      [ "$((now_ms - due))" -ge "$patience_ms" ] && takeover hung "$@"
      stopped && takeover hung "$@"
      left_ms=200
    fi
    [ "$left_ms" -lt "$wait_ms" ] && wait_ms=$left_ms
  fi
  printf -v wait '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000))
  if read -r -t "$wait" -u 3 word value; then
    case $word in
      due) due=$value ;;
      quit)
        leave
        exit 0
        ;;
    esac
  elif [ $? -le 128 ]; then
    takeover dead "$@"
  fi
done
