"""What is done on a node, over its account."""

from __future__ import annotations

import shlex
import time
from typing import Any, List, Optional, cast

from ..errors import FaultlineError

ROOT = "/mnt/faultline"
START_SECONDS = 30.0


def program(context: Any) -> str:
    """The command on a node: below the global ``faultline_home``, else on the PATH."""
    home = context.globals.get("faultline_home")
    return "faultline" if home is None else "%s/faultline" % home.rstrip("/")


def addresses(node: Any) -> List[str]:
    """What a node's traffic comes from, the one that others reach it by first."""
    account = node.account
    said = cast(bytes, account.ssh_output("hostname -I", allow_fail=True))
    listed = [str(word) for word in said.decode("utf-8", "replace").split()]
    first = account.externally_routable_ip or account.hostname
    return [first] + [one for one in listed if one != first]


def put(account: Any, path: str, text: str) -> None:
    """A file that only its owner reads, whole at once. The text is on no command line."""
    account.ssh("umask 077; : > %s.new" % path)
    account.create_file(path + ".new", text)
    account.ssh("mv %s.new %s" % (path, path))


def make_room(account: Any, name: str) -> None:
    """The directory of ours, without what an earlier program of this name has said in it."""
    account.ssh("umask 077; mkdir -p {r}; rm -f {r}/{n}.log {r}/{n}.pid".format(r=ROOT, n=name))


def run(node: Any, command: str) -> Optional[str]:
    """None where the command succeeded, else what it said."""
    marked = '{ %s; } 2>&1; echo "exit $?"' % command
    said = cast(bytes, node.account.ssh_output(marked, allow_fail=True)).decode("utf-8", "replace")
    text, _, code = said.rstrip().rpartition("exit ")
    return None if code == "0" else text.strip() or "exit code %s" % code


def await_line(node: Any, log: str, line: str, pid_file: str) -> None:
    """Returns once a program that is starting has said a line.

    :raises FaultlineError: with the end of its log, where it has ended or takes too long.
    """
    until = time.monotonic() + START_SECONDS
    while run(node, "grep -q %s %s" % (shlex.quote(line), log)) is not None:
        # Without a pid it may only be about to start.
        gone = run(node, "[ ! -s {f} ] || kill -0 $(cat {f})".format(f=pid_file)) is not None
        if gone or time.monotonic() > until:
            said = node.account.ssh_output("tail -n 20 %s" % log, allow_fail=True).decode()
            raise FaultlineError("%s did not start:\n%s" % (log, said))
        time.sleep(0.2)


def end(node: Any, pid_file: str) -> None:
    """SIGTERM, and SIGKILL after 20 s; nothing where nothing runs."""
    script = (
        'pid=$(cat {f} 2>/dev/null) || exit 0; '
        'grep -qs faultline /proc/$pid/cmdline || {{ rm -f {f}; exit 0; }}; '
        'kill -TERM $pid; n=0; '
        'while kill -0 $pid 2>/dev/null && [ $n -lt 200 ]; do sleep 0.1; n=$((n+1)); done; '
        'kill -KILL $pid 2>/dev/null; rm -f {f}; true'
    ).format(f=pid_file)
    node.account.ssh("sh -c %s" % shlex.quote(script), allow_fail=True)
