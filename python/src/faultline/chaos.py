"""A test under faults drawn from a seed."""

from __future__ import annotations

import functools
import inspect
import json
import os
import secrets
import shlex
import sys
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, TypeVar, Union, cast

from .client import Faultline
from .errors import FaultlineError, NotClean, describe

Test = TypeVar("Test", bound=Callable[..., Any])
Drawn = Union[str, Mapping[str, Any]]

DEFAULT_KINDS = ("network.partition", "process.pause")


def chaos(
    seed: Optional[int] = None,
    *,
    kinds: Sequence[Drawn] = DEFAULT_KINDS,
    every: str = "10s",
    shortest: str = "3s",
    longest: str = "8s",
    concurrent: int = 1,
    limits: Optional[Mapping[str, Any]] = None,
    duration: str = "10m",
    scenario: Optional[Mapping[str, Any]] = None,
) -> Callable[[Test], Test]:
    """Runs a test while faults come and go, drawn from a seed by the coordinator.

    The coordinator is the test's argument ``faultline``, else the attribute ``faultline`` of its
    object, else the one that the environment names. When the test is over, however it ends, all
    is healed and looked at. If it fails, the seed, the faults that were and the command that
    repeats it are printed. The same version, seed, kinds and nodes draw the same schedule.

    :param seed: ``FAULTLINE_SEED`` goes before it; without either, a new one.
    :param kinds: names, or entries of a scenario's ``draw.kinds`` (weight, targets, params).
    :param every: from start to start, on average.
    :param shortest: and ``longest``: how long a fault stands.
    :param limits: as in a scenario: ``{"nodes": 1}`` where it is left out.
    :param duration: how far the schedule goes; the test may end before.
    :param scenario: in place of all of these: a whole scenario as a dictionary.
    """
    drawn = scenario or {
        "faultline": 1,
        "duration": duration,
        "steadyState": "0s",
        "recovery": "30s",
        "limits": dict({"nodes": 1} if limits is None else limits),
        "draw": {
            "kinds": [{"kind": one} if isinstance(one, str) else dict(one) for one in kinds],
            "every": every,
            "duration": {"min": shortest, "max": longest},
            "concurrent": concurrent,
        },
    }

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def under_chaos(*args: Any, **kwargs: Any) -> Any:
            run = _Run(test, _coordinator(args, kwargs), drawn, seed)
            run.start()
            try:
                result = test(*args, **kwargs)
            except BaseException:
                run.end(failed=True)
                raise
            run.end(failed=False)
            return result

        return cast(Test, under_chaos)

    return decorate


def _coordinator(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Faultline:
    named = kwargs.get("faultline")
    if named is None and args:
        named = getattr(args[0], "faultline", None)
    # A service of ducktape holds its client; it is one only once it was started.
    client = getattr(named, "client", named)
    if isinstance(client, Faultline):
        return client
    import faultline

    return faultline.default()


def seed_for(seed: Optional[int]) -> str:
    """What the environment says, else the test, else chance: decimal text of 64 bits."""
    text = os.environ.get("FAULTLINE_SEED")
    if text is not None:
        if not text.isdigit() or int(text) >= 2**64:
            raise FaultlineError("FAULTLINE_SEED is not a whole number below 2^64: %r" % text)
        return str(int(text))
    return str(secrets.randbits(32) if seed is None else seed)


def repro_command(test: Callable[..., Any], seed: str) -> str:
    """The command that repeats a test with a seed, for the runner that runs it now."""
    current = os.environ.get("PYTEST_CURRENT_TEST")
    if current is not None:
        what = "python -m pytest %s" % shlex.quote(current.rsplit(" ", 1)[0])
    else:
        path = os.path.relpath(inspect.getsourcefile(test) or "")
        what = "ducktape %s" % shlex.quote("%s::%s" % (path, test.__qualname__))
    return "FAULTLINE_SEED=%s %s" % (seed, what)


class _Run:
    def __init__(
        self,
        test: Callable[..., Any],
        faultline: Faultline,
        scenario: Mapping[str, Any],
        seed: Optional[int],
    ) -> None:
        self._test = test
        self._faultline = faultline
        self._seed = seed_for(seed)
        name = "".join(c if c.isalnum() else "-" for c in test.__name__.lower()).strip("-")
        self._scenario: Dict[str, Any] = {"name": name[:40] or "chaos", **scenario}
        self._id = "chaos-%s-%s" % (self._seed, secrets.token_hex(3))

    def start(self) -> None:
        self._faultline.run(self._id, self._scenario, self._seed)

    def end(self, *, failed: bool) -> None:
        """Heals, waits, and says what there was. Raises only where the test itself did not fail."""
        try:
            self._faultline.rest.cancel_run(self._id)
            run = self._faultline.await_run(self._id, "2m")
            faults = self._faultline.rest.list_faults(run=self._id)["faults"]
            wrong = [one for one in faults if one["state"] in ("failed", "stuck")]
        except FaultlineError as error:
            if not failed:
                raise
            _say("faultline: what became of the faults is not known: %s" % error)
            _say("faultline: repeat with: %s" % repro_command(self._test, self._seed))
            return
        if failed or wrong:
            _say("faultline: seed %s, schedule of %s" % (self._seed, self._id))
            for fault in sorted(faults, key=lambda one: one["createdAt"]):
                _say("faultline: %s" % describe(fault).replace("\n", "\nfaultline: "))
            for skipped in run.get("skipped") or []:
                _say("faultline: skipped %(kind)s at %(atMs)d ms: %(reason)s" % skipped)
            _say("faultline: scenario %s" % json.dumps(self._scenario, sort_keys=True))
            _say("faultline: repeat with: %s" % repro_command(self._test, self._seed))
        if wrong and not failed:
            raise NotClean("\n".join(["faults went wrong:"] + [describe(one) for one in wrong]))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
