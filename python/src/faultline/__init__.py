"""Faults for tests of Kafka clusters: a client of Faultline's coordinator.

``Faultline(url, token)`` is a coordinator. Its fault kinds are context managers; the same stand in
this module for the coordinator that the environment names (``FAULTLINE_COORDINATOR``,
``FAULTLINE_TOKEN_FILE``)::

    import faultline

    with faultline.process_pause(targets="controller.active"):
        ...

``faultline.ducktape`` has the services for ducktape, ``faultline.pytest_plugin`` the fixtures.
"""

from __future__ import annotations

from typing import Any, List, Optional

from .chaos import chaos
from .client import Faultline
from .errors import ApiError, FaultFailed, FaultlineError, NotClean, Unreachable
from .fault import ActiveFault
from .kinds import KINDS

__version__ = "0.1.0"

__all__ = [
    "ActiveFault",
    "ApiError",
    "FaultFailed",
    "Faultline",
    "FaultlineError",
    "KINDS",
    "NotClean",
    "Unreachable",
    "chaos",
    "verify_clean",
]

_default: Optional[Faultline] = None


def default() -> Faultline:
    """The coordinator that the environment names."""
    global _default
    if _default is None:
        _default = Faultline()
    return _default


def verify_clean(wait: str = "15s") -> None:
    """``Faultline.verify_clean`` of the coordinator that the environment names."""
    default().verify_clean(wait)


def __getattr__(name: str) -> Any:
    # PEP 562: the kinds, as functions of the module.
    if name in KINDS:
        return getattr(default(), name)
    raise AttributeError("module 'faultline' has no attribute %r" % name)


def __dir__() -> List[str]:
    return sorted([*globals(), *KINDS])
