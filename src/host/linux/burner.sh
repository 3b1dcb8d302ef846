#!/bin/bash
# One worker of cpu.load: busy for a share of every half second. A shell, because what loads a machine
# must not need its memory, too (3 MB, where a Node with one thread takes 90).
#
#   burner.sh --token TOKEN SHARE_PER_MILLE RAMP_MS TIMEOUT_MS [CGROUP.PROCS ...]
#
# Known in /proc by its token. It outlives its agent, so that a guard can end it, and ends by itself
# when no SIGCONT has come for the timeout. SIGCONT, because one that comes too early harms nobody.
set -u
share=$3 ramp_ms=$4 timeout_ms=$5
window_ms=500

# Into control groups of its own; one that cannot be entered is done without.
for entrance in "${@:6}"; do
  { echo $$ >"$entrance"; } 2>/dev/null
done

# /proc/uptime is CLOCK_BOOTTIME in seconds with two digits (proc_uptime(5)): no clock fault moves it.
now() {
  local up rest
  read -r up rest </proc/uptime
  now_ms=$((10#${up/./} * 10))
}

now
start_ms=$now_ms
ends_ms=$((now_ms + timeout_ms))
renew() {
  now
  ends_ms=$((now_ms + timeout_ms))
}
trap renew CONT

# First in line for the OOM killer: what is under test must not pay for the load.
{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null
# A pipe that nobody writes to and that never ends: reading it is sleeping without a process.
exec {silence}<> <(:)

while [ "$now_ms" -lt "$ends_ms" ]; do
  window_at=$now_ms
  busy_ms=$((window_ms * share / 1000))
  age_ms=$((now_ms - start_ms))
  [ "$age_ms" -lt "$ramp_ms" ] && busy_ms=$((busy_ms * age_ms / ramp_ms))
  while [ $((now_ms - window_at)) -lt "$busy_ms" ]; do
    for ((i = 0; i < 500; i++)); do :; done
    now
  done
  rest_ms=$((window_ms - now_ms + window_at))
  if [ "$rest_ms" -gt 0 ]; then
    printf -v rest '0.%03d' "$rest_ms"
    read -r -t "$rest" -u "$silence"
  fi
  now
done
