"""A coordinator, its faults and its runs."""

from __future__ import annotations

import os
import ssl
import time
from typing import Any, Dict, List, Mapping, Optional

from .errors import FaultlineError, NotClean, describe
from .fault import ENDED, ActiveFault, seconds
from .kinds import Kinds
from .rest import FaultStatus, Rest
from .transport import Transport

OPEN = "pending,arming,armed,active,healing,stuck"


class Faultline(Kinds):
    """A coordinator. Each fault kind is a method that makes a context manager::

        with faultline.network_partition(targets="leader(orders-0)", shape="isolate") as fault:
            ...

    :param url: default ``FAULTLINE_COORDINATOR``.
    :param token: default the first token that may operate of the file ``FAULTLINE_TOKEN_FILE`` names.
    :param lease: of faults that name none: how long they stand without word from the coordinator.
    :param tls: for an authority or a client certificate of your own.
    """

    def __init__(
        self,
        url: Optional[str] = None,
        token: Optional[str] = None,
        *,
        lease: Optional[str] = None,
        timeout: float = 30.0,
        tls: Optional[ssl.SSLContext] = None,
    ) -> None:
        url = url or os.environ.get("FAULTLINE_COORDINATOR")
        if not url:
            raise FaultlineError("no coordinator: give its url, or set FAULTLINE_COORDINATOR")
        if token is None and os.environ.get("FAULTLINE_TOKEN_FILE"):
            token = first_token(os.environ["FAULTLINE_TOKEN_FILE"])
        self.rest = Rest(Transport(url, token, timeout=timeout, tls=tls))
        self.url = url
        self.lease = lease

    def _fault(self, kind: str, params: Dict[str, Any], **common: Any) -> ActiveFault:
        if common.get("lease") is None:
            common["lease"] = self.lease
        return ActiveFault(self.rest, kind, params, **common)

    def fault(
        self, kind: str, params: Optional[Mapping[str, Any]] = None, **common: Any
    ) -> ActiveFault:
        """A fault of a kind by its name on the wire, its parameters as the reference has them."""
        return self._fault(kind, dict(params or {}), **common)

    def open_faults(self) -> List[FaultStatus]:
        """Faults that have not ended."""
        return list(self.rest.list_faults(state=OPEN)["faults"])

    def verify_clean(self, wait: str = "15s") -> None:
        """Returns once no fault stands or is to come.

        :raises NotClean: naming those that do, with their receipts.
        """
        until = time.monotonic() + seconds(wait)
        while True:
            left = self.open_faults()
            if not left:
                return
            if time.monotonic() > until:
                raise NotClean("\n".join(["faults are left:"] + [describe(one) for one in left]))
            time.sleep(0.1)

    def heal(self, wait: str = "15s") -> None:
        """Ends everything, also what others began, and allows new faults again."""
        self.rest.heal(wait=wait)
        self.rest.resume()

    def run(self, id: str, scenario: Mapping[str, Any], seed: str) -> Dict[str, Any]:
        """Begins a run; see ``await_run``."""
        body: Any = {"id": id, "scenario": scenario, "seed": seed}
        started: Dict[str, Any] = self.rest.create_run(body)
        return started

    def await_run(self, id: str, wait: str = "10m") -> Dict[str, Any]:
        """The run once it is over. It does not judge: look at ``verdict`` and ``outcome``."""
        until = time.monotonic() + seconds(wait)
        while True:
            run: Dict[str, Any] = self.rest.get_run(id)
            if run["phase"] == "done":
                return run
            if time.monotonic() > until:
                says = "run %s is still in phase %s after %s" % (id, run["phase"], wait)
                raise FaultlineError(says)
            time.sleep(0.2)

    def await_nodes(self, wait: str = "20s") -> None:
        """Returns once the coordinator is linked to the agent of every node that has one."""
        until = time.monotonic() + seconds(wait)
        while True:
            nodes = self.rest.list_nodes()["nodes"]
            away = [node for node in nodes if node["link"] not in ("linked", "none")]
            if not away:
                return
            if time.monotonic() > until:
                says = ["%s: %s %s" % (n["name"], n["link"], n.get("linkError", "")) for n in away]
                raise FaultlineError("\n".join(["agents are not linked:"] + says))
            time.sleep(0.1)


def first_token(path: str) -> str:
    """The first token of a token file that may operate, else the first: ``TOKEN [ROLE] [NAME]``."""
    with open(path, encoding="utf-8") as lines:
        found = [words for words in map(str.split, lines) if words and words[0][0] != "#"]
    if not found:
        raise FaultlineError("no token in %s" % path)
    return next((words for words in found if words[1:2] != ["read"]), found[0])[0]


__all__ = ["ENDED", "Faultline", "first_token"]
