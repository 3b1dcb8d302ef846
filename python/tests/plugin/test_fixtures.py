"""The fixtures, as a test of somebody else's would use them."""

from __future__ import annotations

from typing import Any, Iterator

import pytest
from stub import TOKEN, Stub


@pytest.fixture
def stub() -> Iterator[Stub]:
    one = Stub()
    yield one
    one.close()


def run(pytester: Any, stub: Stub, body: str) -> Any:
    pytester.makepyfile(body)
    token_file = pytester.path / "token"
    token_file.write_text("# people\n%s operate tests\n" % TOKEN)
    arguments = ["--faultline-coordinator", stub.url, "--faultline-token-file", str(token_file)]
    return pytester.runpytest_subprocess(*arguments)


def test_a_fault_in_a_block(pytester: Any, stub: Stub) -> None:
    body = """
        def test_it(faultline):
            with faultline.process_pause(targets="n1"):
                pass
    """
    run(pytester, stub, body).assert_outcomes(passed=1)
    assert [fault["state"] for fault in stub.faults.values()] == ["healed"]


def test_what_is_left_fails_the_test_and_is_healed(pytester: Any, stub: Stub) -> None:
    body = """
        def test_it(faultline):
            faultline.process_pause(targets="n1", id="left").start()

        def test_next(faultline):
            assert faultline.open_faults() == []
    """
    result = run(pytester, stub, body)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*process.pause 'left' is active*"])


def test_chaos_takes_the_fixture(pytester: Any, stub: Stub) -> None:
    body = """
        from faultline import chaos

        @chaos(seed=3)
        def test_it(faultline):
            assert faultline.open_faults() == []
            raise ValueError("on purpose")
    """
    result = run(pytester, stub, body)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*repeat with: FAULTLINE_SEED=3 python -m pytest *::test_it"])
    assert [one["seed"] for one in stub.runs.values()] == ["3"]
