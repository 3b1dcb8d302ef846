"""Fixtures for pytest, without ducktape. Named in a conftest.py, or by the package's entry point.

``faultline`` is the coordinator that ``--faultline-coordinator`` or ``FAULTLINE_COORDINATOR`` names.
After each test that used it, no fault may be left: what is left is healed, and fails the test.
"""

from __future__ import annotations

from typing import Any, Iterator

import pytest

from .client import Faultline, first_token
from .errors import NotClean

#: What a test began may still be healing when it ends.
LEFT_WAIT = "5s"


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("faultline")
    group.addoption(
        "--faultline-coordinator",
        metavar="URL",
        help="the coordinator; default FAULTLINE_COORDINATOR",
    )
    group.addoption(
        "--faultline-token-file",
        metavar="FILE",
        help="file with its token; default FAULTLINE_TOKEN_FILE",
    )


@pytest.fixture(scope="session")
def faultline_coordinator(request: Any) -> Faultline:
    """The coordinator for the whole session, linked to all its agents."""
    url = request.config.getoption("--faultline-coordinator")
    token_file = request.config.getoption("--faultline-token-file")
    token = None if token_file is None else first_token(token_file)
    coordinator = Faultline(url, token)
    coordinator.await_nodes()
    return coordinator


@pytest.fixture
def faultline(faultline_coordinator: Faultline) -> Iterator[Faultline]:
    """A coordinator that is clean before the test, and must be after it."""
    faultline_coordinator.verify_clean()
    yield faultline_coordinator
    try:
        faultline_coordinator.verify_clean(LEFT_WAIT)
    except NotClean:
        # The next test begins with a whole cluster all the same.
        faultline_coordinator.heal()
        raise
