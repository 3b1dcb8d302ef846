#!/bin/sh
# Trogdor's command lines over our daemons: finds the pinned Node and runs it.
set -e
# What 'faultline compat install' put beside the link that we were called by.
token=$0.faultline-token
if [ -z "${FAULTLINE_TOKEN_FILE:-}" ] && [ -r "$token" ]; then
  export FAULTLINE_TOKEN_FILE="$token"
fi
self=$(readlink -f -- "$0")
root=$(dirname -- "$self")/..
for node in "$root"/node_modules/node-linux-*/bin/node "$root"/.cache/node/node_modules/node-linux-*/bin/node; do
  if [ -x "$node" ]; then
    # Stripped TypeScript is kept in the compile cache: a warm start costs neither the time nor the memory of it.
    NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$root/.cache/compile}"
    export NODE_COMPILE_CACHE
    # As in ../faultline: an agent lives for weeks, and is to be small.
    case "${1-}" in
      agent) young='--max-semi-space-size=1 --expose-gc' MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-1} && export MALLOC_ARENA_MAX ;;
      *) young= ;;
    esac
    # shellcheck disable=SC2086
    exec "$node" $young --disable-warning=ExperimentalWarning "$root/src/bin/trogdor.ts" "$@"
  fi
done
echo "trogdor: its Node runtime is not installed; run '$root/run setup' first" >&2
exit 69
