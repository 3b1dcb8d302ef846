"""The decorator that runs a test under a seeded schedule."""

from __future__ import annotations

import contextlib
import io
import os
import unittest
from typing import Any, Optional
from unittest import mock

from stub import TOKEN, Stub

from faultline import Faultline, NotClean, chaos


class ChaosTest(unittest.TestCase):
    def setUp(self) -> None:
        self.stub = Stub()
        self.addCleanup(self.stub.close)
        self.faultline = Faultline(self.stub.url, TOKEN)

    def run_one(self, error: Optional[Exception] = None, **options: Any) -> str:
        @chaos(**options)
        def a_test(this: Any, value: int) -> int:
            (run,) = self.stub.runs.values()
            self.assertEqual(run["phase"], "faults")
            if error is not None:
                raise error
            return value

        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            if error is None:
                self.assertEqual(a_test(self, 5), 5)
            else:
                with self.assertRaises(type(error)):
                    a_test(self, 5)
        (run,) = self.stub.runs.values()
        self.assertEqual(run["phase"], "done")
        return said.getvalue()

    def test_a_run_stands_beside_the_test_and_is_over_after_it(self) -> None:
        self.assertEqual(self.run_one(seed=7, kinds=["process.pause"]), "")
        (run,) = self.stub.runs.values()
        self.assertEqual(run["seed"], "7")
        self.assertEqual(run["scenario"]["draw"]["kinds"], [{"kind": "process.pause"}])
        self.assertEqual(run["scenario"]["limits"], {"nodes": 1})

    def test_a_failure_prints_the_command_that_repeats_it(self) -> None:
        with mock.patch.dict(os.environ, {"PYTEST_CURRENT_TEST": "t/test_x.py::test_a (call)"}):
            said = self.run_one(ValueError(), seed=7)
        self.assertIn("repeat with: FAULTLINE_SEED=7 python -m pytest t/test_x.py::test_a\n", said)
        with mock.patch.dict(os.environ):
            os.environ.pop("PYTEST_CURRENT_TEST", None)
            self.stub.runs.clear()
            said = self.run_one(ValueError(), seed=8)
        self.assertIn("FAULTLINE_SEED=8 ducktape ", said)
        self.assertIn("test_chaos.py::", said)

    def test_the_seed_of_the_environment_goes_before(self) -> None:
        with mock.patch.dict(os.environ, {"FAULTLINE_SEED": "9"}):
            self.run_one(seed=7)
        (run,) = self.stub.runs.values()
        self.assertEqual(run["seed"], "9")

    def test_a_fault_that_went_wrong_fails_a_test_that_did_not(self) -> None:
        @chaos(seed=1)
        def a_test(this: Any) -> None:
            self.stub.create({"id": "drawn", "kind": "process.pause"})
            self.stub.faults["drawn"].update(state="stuck")

        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(NotClean):
            a_test(self)


if __name__ == "__main__":
    unittest.main()
