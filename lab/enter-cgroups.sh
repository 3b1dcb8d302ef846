#!/bin/sh
# Enters control groups, then becomes another program: enter-cgroups.sh [CGROUP.PROCS ...] -- PROGRAM ...
# The namespaces that PROGRAM makes have these groups as their root.
while [ "$1" != -- ]; do
  echo $$ > "$1" || echo "enter-cgroups: cannot enter $1" >&2
  shift
done
shift
exec "$@"
