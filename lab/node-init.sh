#!/bin/bash
# PID 1 of a lab node. It makes the mounts and the address that let the node look like a machine of its
# own, keeps its agent running, starts its broker when asked, and reaps whatever is orphaned here.
#
# The lab passes, by environment: LAB_NODE (name), LAB_NODE_DIR (the node's files on the host's disk),
# LAB_CHECKOUT, LAB_KAFKA (jars), LAB_ADDRESS and LAB_ADDRESS6 (with prefix length).
#
# Services are files: $here/etc/NAME.argv (one argument a line) and, beside it, NAME.keep when the
# service is to be restarted whenever it ends, NAME.mounts with the place where it mounts a file system, and
# NAME.needs with another service that must run before. $here/state/NAME says 'running PID' or 'ended STATUS'.
# Requests come as lines 'VERB SERVICE REPLY' through the FIFO $here/control; see node-ctl.
set -u
export LC_ALL=C

fail() { echo "node-init: $1" >&2; exit 1; }

# /proc is still the host's here: our own entry gives the pid the host knows us by.
read -r host_pid _ < /proc/self/stat
echo "$host_pid" > "$LAB_NODE_DIR/state/init.new" || fail 'cannot write the state directory'
mv "$LAB_NODE_DIR/state/init.new" "$LAB_NODE_DIR/state/init"

mount -n -t proc -o nosuid,nodev,noexec proc /proc || fail 'cannot mount /proc'

# /run first, under another path: what hides below the paths that are covered next (a checkout in /tmp,
# the lab's own directory in /var/lib) stays reachable through it.
stage="$LAB_NODE_DIR/stage"
mount -n -t tmpfs -o nosuid,nodev,mode=755,size=128m tmpfs "$stage" || fail 'cannot mount /run'
mkdir -p "$stage/lock" "$stage/sshd" "$stage/faultline-lab/"{node,checkout,kafka}
mount -n --bind "$LAB_NODE_DIR" "$stage/faultline-lab/node" || fail 'cannot bind the node directory'
mount -n --bind "$LAB_CHECKOUT" "$stage/faultline-lab/checkout" || fail 'cannot bind the checkout'
mount -n --bind "$LAB_KAFKA" "$stage/faultline-lab/kafka" || fail 'cannot bind the jars'
cd / && mount -n --move "$stage" /run || fail 'cannot move /run'
here=/run/faultline-lab/node
mount -n --bind "$here/var-lib" /var/lib || fail 'cannot mount /var/lib'
mount -n --bind "$here/mnt" /mnt || fail 'cannot mount /mnt'
mount -n --bind "$here/log" /var/log || fail 'cannot mount /var/log'
mount -n --bind "$here/tmp" /tmp || fail 'cannot mount /tmp'
mount -n --bind "$here/etc/hosts" /etc/hosts || fail 'cannot mount /etc/hosts'
[ ! -e "$here/etc/shadow" ] || mount -n --bind "$here/etc/shadow" /etc/shadow || fail 'cannot mount /etc/shadow'
mount -n -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm || fail 'cannot mount /dev/shm'
export TMPDIR=/tmp HOME=/root

# /sys again, so that /sys/class/net shows this node's links, and below it the control groups that are
# this node's own: in the namespace they are the roots. (Without any the node has no cgroup mounts.) The
# host's go, and are not just covered: a JVM finds its groups in mountinfo, covered ones too, and its JMX
# fails over those that it is not in.
cgroups=$(awk '$0 ~ / - cgroup2? / { split($0, half, " - "); split(half[1], a, " "); split(half[2], b, " ");
  print a[5], b[1], b[3] }' /proc/self/mountinfo)
if mount -n -t sysfs -o nosuid,nodev,noexec sysfs "$here/stage"; then
  umount -n -R -l /sys
  mount -n --move "$here/stage" /sys
  above=no
  while read -r at type options; do
    case "$options" in *memory* | *cpu | *cpu,* | *cpuacct* | *blkio* | *pids* | *freezer*) ;;
      *) [ "$type" = cgroup2 ] || continue ;;
    esac
    # Several hierarchies stand below a tmpfs, as they do on the host.
    if [ "$at" != /sys/fs/cgroup ] && [ "$above" = no ]; then
      mount -n -t tmpfs -o nosuid,nodev,noexec,mode=755 tmpfs /sys/fs/cgroup || break
      above=yes
    fi
    mkdir -p "$at" 2>/dev/null
    if [ "$type" = cgroup2 ]; then mount -n -t cgroup2 cgroup2 "$at"; else
      mount -n -t cgroup -o "${options#rw,}" cgroup "$at"
    fi || echo "node-init: no $type at $at" >&2
  done <<< "$cgroups"
fi

hostname "$LAB_NODE"
ip link set lo up
until grep -q 'eth0:' /proc/net/dev; do sleep 0.02; done
ip addr add "$LAB_ADDRESS" dev eth0 || fail 'cannot set the address'
ip link set eth0 up || fail 'cannot bring the link up'
if [ -n "$LAB_ADDRESS6" ]; then
  ip -6 addr add "$LAB_ADDRESS6" dev eth0 nodad || echo 'node-init: no IPv6 here' >&2
fi

ulimit -n 65536 2>/dev/null || true

# service -> pid, and the earliest second it may be restarted.
declare -A pids=() not_before=() backoff=() wanted=() began=()

set_state() { # SERVICE TEXT
  echo "$2" > "$here/state/$1.new" && mv "$here/state/$1.new" "$here/state/$1"
}

mounted() { grep -q " $1 fuse\.faultline " /proc/self/mounts; } # PATH

# Starts what a service needs and waits until its file system is mounted. Fails where it never is.
start_needed() { # SERVICE
  local needed path tries=0
  [ -r "$here/etc/$1.needs" ] || return 0
  read -r needed < "$here/etc/$1.needs"
  read -r path < "$here/etc/$needed.mounts"
  # It may have died a moment ago, and its mount is still to be detached.
  look_after
  start "$needed"
  until mounted "$path"; do
    if ! kill -0 "${pids[$needed]:-0}" 2>/dev/null || [ $((tries++)) -gt 160 ]; then
      reply="no file system at $path: $(tail -n 1 "$here/log/$needed.out" 2>/dev/null)"
      return 1
    fi
    sleep 0.05
  done
}

start() { # SERVICE
  local argv=()
  [ -r "$here/etc/$1.argv" ] || { reply="no service '$1' here"; return; }
  if [ -n "${pids[$1]:-}" ]; then reply="ok: running already, pid ${pids[$1]}"; return; fi
  start_needed "$1" || return
  mapfile -t argv < "$here/etc/$1.argv"
  # A session of its own, no control FIFO, and none of the signals this shell ignores.
  setsid "${argv[@]}" 3<&- < /dev/null >> "$here/log/$1.out" 2>&1 &
  pids[$1]=$!
  began[$1]=$SECONDS
  set_state "$1" "running $!"
  echo "$(date -u +%FT%T.%3NZ) $1 started, pid $!"
  reply="ok: started, pid $!"
}

signal() { # SERVICE SIGNAL
  wanted[$1]=no
  if [ -z "${pids[$1]:-}" ]; then reply='ok: not running'; return; fi
  kill "-$2" "${pids[$1]}"
  reply="ok: sent SIG$2 to pid ${pids[$1]}"
}

serve() { # VERB SERVICE
  case "$1" in
    # One that has just ended must not be taken for running.
    start) look_after; wanted[$2]=yes; start "$2" ;;
    stop) signal "$2" TERM ;;
    kill) signal "$2" KILL ;;
    *) reply="unknown request '$1'" ;;
  esac
}

# Ended children: said, remembered, and brought back where they are to be kept.
look_after() {
  local service running path now=$SECONDS
  running=" $(jobs -rp | tr '\n' ' ') "
  for service in "${!pids[@]}"; do
    case "$running" in *" ${pids[$service]} "*) continue ;; esac
    wait "${pids[$service]}" 2>/dev/null
    local status=$?
    echo "$(date -u +%FT%T.%3NZ) $service ended, status $status"
    set_state "$service" "ended $status"
    # A file system whose process is dead: what it left is detached, and its users get errors, not silence.
    if [ -r "$here/etc/$service.mounts" ]; then
      read -r path < "$here/etc/$service.mounts"
      if mounted "$path"; then umount -n -i -l "$path"; fi
    fi
    unset "pids[$service]"
    # A service that ended at once waits a little longer each time, 5 s at most.
    if [ $((now - ${began[$service]})) -ge 10 ]; then backoff[$service]=0; fi
    not_before[$service]=$((now + ${backoff[$service]:-0}))
    backoff[$service]=$(((${backoff[$service]:-0} * 2 + 1) > 5 ? 5 : (${backoff[$service]:-0} * 2 + 1)))
  done
  for service in "${!wanted[@]}"; do
    [ "${wanted[$service]}" = yes ] && [ -z "${pids[$service]:-}" ] || continue
    [ -e "$here/etc/$service.keep" ] || continue
    [ "$now" -ge "${not_before[$service]:-0}" ] && start "$service"
  done
  return 0
}

trap 'exit 0' TERM
ended=yes
trap 'ended=yes' CHLD

# Opened for both, so that the FIFO never comes to its end when a writer closes it.
exec 3<> "$here/control" || fail 'cannot open the control FIFO'
set_state ready yes
line=''
while :; do
  part=''
  IFS= read -r -t 0.25 part <&3
  read_status=$?
  # A timeout may come in the middle of a line: what was read of it is kept.
  line+=$part
  if [ "$read_status" = 0 ]; then
    verb='' service='' id=''
    read -r verb service id <<< "$line"
    line=''
    reply='a request is VERB SERVICE REPLY'
    if [[ "$service" =~ ^[a-z]+$ ]]; then reply='' && serve "$verb" "$service"; fi
    if [[ "$id" =~ ^[0-9]+$ ]]; then echo "$reply" > "$here/replies/$id.new" && mv "$here/replies/$id.new" "$here/replies/$id"; fi
  fi
  if [ "$ended" = yes ] || [ "${#not_before[@]}" -gt 0 ]; then ended=no; look_after; fi
done
