"""A fault that is in force while its block runs."""

from __future__ import annotations

import secrets
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, List, Literal, Mapping, Optional, Type, Union

from .errors import ApiError, FaultFailed, FaultlineError

if TYPE_CHECKING:
    from .rest import FaultStatus, Rest

#: A selector ('leader(orders-0)'), names of nodes, or nodes of ducktape.
Targets = Union[str, List[Any]]

ENDED = ("healed", "refused", "missed", "failed", "cancelled")
#: What ends a fault as planned; all else ends it early.
PLANNED = ("deadline", "request")
#: Nobody forgets a fault for longer than this, whatever becomes of the test.
LONGEST = "10m"


class ActiveFault:
    """Made by the methods of the fault kinds; see ``Faultline``.

    Entered, it returns once the fault is in force on every node and was seen to bite (or once it
    has happened, for kinds that do not stand). Where the nodes that a selector names change while
    the fault is armed, it is created anew, under another id unless ``id`` was given. Left, also by
    an exception, it returns once the fault is healed on every node. ``status`` holds its receipts
    throughout.
    """

    def __init__(
        self,
        rest: "Rest",
        kind: str,
        params: Mapping[str, Any],
        *,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Mapping[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> None:
        self._rest = rest
        self._wait = 30.0 if wait is None else seconds(wait)
        self._bounded = duration is not None
        self._named = id is not None
        self.id = id or new_id(kind)
        self.request: Dict[str, Any] = {"id": self.id, "kind": kind}
        given = {name: value for name, value in params.items() if value is not None}
        optional = {
            "params": given or None,
            "targets": targets,
            "duration": duration,
            "lease": lease,
            "reason": reason,
            "override": override,
        }
        self.request.update({k: v for k, v in optional.items() if v is not None})
        self.status: "FaultStatus" = {}  # type: ignore[typeddict-item]

    def start(self) -> "ActiveFault":
        """Until the fault is in force. Whoever calls it calls ``stop``; ``with`` does both."""
        until = time.monotonic() + self._wait
        try:
            self.status = self._create()
            # A leader, say, was elected while the fault was armed: nothing was touched yet.
            while self._await_effect(until) == "moved":
                self.id = self.request["id"] = new_id(self.request["kind"])
                self.status = self._create()
        except BaseException:
            self._abandon()
            raise
        return self

    def _create(self) -> "FaultStatus":
        if self._bounded or self.request.get("duration"):
            return self._rest.create_fault(self.request)  # type: ignore[arg-type]
        try:
            capped = dict(self.request, duration=LONGEST)
            return self._rest.create_fault(capped)  # type: ignore[arg-type]
        except ApiError as error:
            # A kind that happens once takes no duration, and needs none.
            if [problem.get("path") for problem in error.problems] != ["/duration"]:
                raise
            return self._rest.create_fault(self.request)  # type: ignore[arg-type]

    def _await_effect(self, until: float) -> Literal["in force", "moved"]:
        while True:
            state, effect = self.status["state"], self.status["effect"]
            if state == "missed" and self._moved() and time.monotonic() < until:
                return "moved"
            if state in ("refused", "missed", "failed", "cancelled", "stuck"):
                raise FaultFailed("the fault is not in force", self.status)
            if state == "healed":
                if self.status.get("endedBy") in PLANNED and effect in ("seen", "untestable"):
                    return "in force"
                raise FaultFailed("the fault ended before it was in force", self.status)
            if state == "active" and effect in ("seen", "untestable"):
                return "in force"
            if time.monotonic() > until:
                raise FaultFailed("not in force within %g s" % self._wait, self.status)
            time.sleep(0.05)
            self.status = self._rest.get_fault(self.id)

    def _moved(self) -> bool:
        """Whether the selector named others when it was to fire, and may be asked again."""
        selector = self.status.get("selector")
        if self._named or selector is None or selector.get("atFiring") is None:
            return False
        return selector["atFiring"] != selector["atArming"]

    def _abandon(self) -> None:
        try:
            self.status = self._rest.heal_fault(self.id, wait="15s")
        except FaultlineError:
            # Never created, or nobody hears us: then its lease or duration ends it.
            pass

    def stop(self) -> "FaultStatus":
        """Heals it. Returns once it is healed on every node; again, it changes nothing.

        :raises FaultFailed: an undo fails, or the fault had ended early, with its receipts.
        """
        until = time.monotonic() + self._wait
        self.status = self._rest.heal_fault(self.id, wait="10s")
        while self.status["state"] not in ENDED:
            if time.monotonic() > until:
                raise FaultFailed("not healed within %g s" % self._wait, self.status)
            time.sleep(0.05)
            self.status = self._rest.get_fault(self.id)
        if self.status["state"] != "healed":
            raise FaultFailed("the fault went wrong while it was in force", self.status)
        ended_by = self.status.get("endedBy")
        if ended_by is not None and ended_by not in PLANNED:
            raise FaultFailed("the fault ended early, by %s" % ended_by, self.status)
        if ended_by == "deadline" and not self._bounded and self._stands():
            raise FaultFailed("the block outlasted the longest fault, %s" % LONGEST, self.status)
        return self.status

    def _stands(self) -> bool:
        return "duration" in self.status["request"]

    def __enter__(self) -> "ActiveFault":
        return self.start()

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        try:
            self.stop()
        except FaultlineError:
            # What went wrong in the block is what the test is to say.
            if error is None:
                raise

    def __repr__(self) -> str:
        return "<%s %s %s>" % (self.request["kind"], self.id, dict(self.status).get("state", "new"))


UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def new_id(kind: str) -> str:
    return "%s-%s" % (kind.replace(".", "-"), secrets.token_hex(3))


def seconds(duration: str) -> float:
    """'1m30s' as seconds. Wholes of a unit, or with a decimal point."""
    import re

    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError("not a duration: %r (250ms, 30s, 1m30s)" % (duration,))
    return sum(float(number) * UNITS[unit] for number, unit in parts)
