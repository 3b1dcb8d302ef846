"""What the services of ducktape do on a node, on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import types
import unittest
from typing import Any

try:
    import ducktape.services.service  # noqa: F401
except ImportError:
    # Nothing of it is needed here.
    for name in ("ducktape", "ducktape.services", "ducktape.services.service"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["ducktape.services.service"].Service = type("Service", (), {})  # type: ignore[attr-defined]

from faultline import FaultlineError
from faultline.ducktape.on_node import await_line


class Account:
    """Runs commands here. ``then`` is done after so many."""

    def __init__(self, then: Any = None, after: int = 0) -> None:
        self.then = then
        self.left = after

    def ssh_output(self, command: str, allow_fail: bool = False) -> bytes:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        said = subprocess.run(["sh", "-c", command], **pipes).stdout  # type: ignore[call-overload]
        self.left -= 1
        if self.left == 0:
            self.then()
        return bytes(said)


def node(*args: Any) -> Any:
    return types.SimpleNamespace(account=Account(*args))


class StartTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.log = os.path.join(directory.name, "log")
        self.pid_file = os.path.join(directory.name, "pid")

    def write(self, path: str, text: str) -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_one_that_has_no_pid_yet_is_waited_for(self) -> None:
        def start() -> None:
            self.write(self.pid_file, "%d\n" % os.getpid())
            self.write(self.log, "it is ready: here\n")

        # After the first look at the log, and the first at the pid.
        await_line(node(start, 2), self.log, "is ready:", self.pid_file)

    def test_one_that_has_ended_is_not_waited_for(self) -> None:
        ended = subprocess.Popen(["true"])
        ended.wait()
        self.write(self.pid_file, "%d\n" % ended.pid)
        self.write(self.log, "no such option\n")
        with self.assertRaisesRegex(FaultlineError, "no such option"):
            await_line(node(), self.log, "is ready:", self.pid_file)
