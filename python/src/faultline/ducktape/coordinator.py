"""The coordinator, as a service of ducktape."""

from __future__ import annotations

import json
import secrets
import shlex
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Union

from ducktape.services.service import Service

from ..client import Faultline
from ..errors import FaultlineError, describe
from ..fault import ActiveFault
from ..kinds import Kinds
from .agents import FaultlineAgents
from .on_node import ROOT, addresses, await_line, end, make_room, program, put

COORDINATOR_PORT = 7700


class FaultlineService(Service, Kinds):  # type: ignore[misc]
    """The coordinator, on a node of its own, and every fault kind as a method.

    It lives as long as the test: when the test's process is gone, also by SIGKILL, the coordinator
    ends, and the agents heal once the leases of the faults have run out.

    :param agents: whom it commands; started before it.
    :param bootstrap: of the Kafka cluster; a function is asked at start. Without it, selectors know
        names and roles only.
    :param properties: of a Kafka client, by Kafka's names (security.protocol, ...).
    :param lease: how long a fault stands without word from the coordinator.
    :param options: further words of the command line, as ``["--limit-nodes", "1"]``.
    """

    logs = {
        "faultline_coordinator_log": {"path": ROOT + "/coordinator.log", "collect_default": True},
        "faultline_faults": {"path": ROOT + "/faults.json", "collect_default": True},
    }

    def __init__(
        self,
        context: Any,
        agents: FaultlineAgents,
        *,
        bootstrap: Union[None, str, Callable[[], str]] = None,
        properties: Optional[Mapping[str, str]] = None,
        lease: str = "15s",
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(context, num_nodes=1)
        self.agents = agents
        self.lease = lease
        self.error = ""
        self._bootstrap = bootstrap
        self._properties = dict(properties or {})
        self._options = list(options)
        self._token = secrets.token_hex(32)
        self._tether: Any = None
        self._client: Optional[Faultline] = None

    @property
    def client(self) -> Faultline:
        """For what is not a fault: runs, nodes, events, every route as ``client.rest``."""
        if self._client is None:
            raise FaultlineError("FaultlineService is not started")
        return self._client

    def _fault(self, kind: str, params: Dict[str, Any], **common: Any) -> ActiveFault:
        return self.client._fault(kind, params, **common)

    def fault(
        self, kind: str, params: Optional[Mapping[str, Any]] = None, **common: Any
    ) -> ActiveFault:
        """See ``Faultline.fault``."""
        return self.client.fault(kind, params, **common)

    def start_node(self, node: Any, **kwargs: Any) -> None:
        account = node.account
        cluster: Dict[str, Any] = {"name": self.agents.cluster_name}
        cluster["nodes"] = self.agents.described()
        bootstrap = self._bootstrap() if callable(self._bootstrap) else self._bootstrap
        if bootstrap is not None:
            cluster["kafka"] = {"bootstrap": bootstrap, "properties": self._properties}
        make_room(account, "coordinator")
        put(account, ROOT + "/cluster.json", json.dumps(cluster, indent=2))
        put(account, ROOT + "/people.token", "%s operate ducktape\n" % self._token)
        put(account, ROOT + "/to-agents.token", self.agents.token + "\n")
        address = addresses(node)[0]
        command = [
            program(self.context),
            "coordinator",
            "--insecure",
            *("--listen", "%s:%d" % (address, COORDINATOR_PORT)),
            *("--state", ROOT + "/coordinator"),
            *("--cluster", ROOT + "/cluster.json"),
            *("--token-file", ROOT + "/people.token"),
            *("--agent-token-file", ROOT + "/to-agents.token"),
            *self._options,
        ]
        line = " ".join(shlex.quote(word) for word in command)
        # Its life hangs on this session: when the test's process dies, the input ends.
        self._tether = account.ssh_client.exec_command(
            "setsid %s > %s/coordinator.log 2>&1 < /dev/null & "
            "echo $! > %s/coordinator.pid; cat > /dev/null; kill -TERM $!"
            % (line, ROOT, ROOT)
        )
        await_line(node, ROOT + "/coordinator.log", "is ready:", ROOT + "/coordinator.pid")
        self._client = Faultline(
            "http://%s:%d" % (address, COORDINATOR_PORT), self._token, lease=self.lease
        )
        self._client.await_nodes()

    def stop_node(self, node: Any, **kwargs: Any) -> None:
        """Heals what is left, keeps the receipts for the logs, and ends the coordinator."""
        if self._client is not None:
            self._finish(node, self._client)
        if self._tether is not None:
            self._tether[0].channel.close()
            self._tether = None
        end(node, ROOT + "/coordinator.pid")
        self._client = None

    def _finish(self, node: Any, client: Faultline) -> None:
        try:
            left = client.open_faults()
            if left:
                self.error = "faults were left to teardown:\n" + "\n".join(map(describe, left))
                client.heal()
            client.verify_clean()
            faults = client.rest.list_faults()["faults"]
            put(node.account, ROOT + "/faults.json", json.dumps(faults, indent=2))
            wrong = [describe(one) for one in faults if one["state"] in ("failed", "stuck")]
            if wrong:
                self.error = "\n".join(filter(None, [self.error, "faults went wrong:", *wrong]))
        except FaultlineError as error:
            # Ducktape puts a service's error into the test's summary.
            self.error = "\n".join(filter(None, [self.error, str(error)]))

    def clean_node(self, node: Any, **kwargs: Any) -> None:
        node.account.ssh("rm -rf %s" % ROOT, allow_fail=False)

    def verify_clean(self, wait: str = "15s") -> None:
        """Returns once no fault stands and ``faultline doctor`` finds nothing on any node.

        :raises NotClean: with what is left, and where.
        """
        self.client.verify_clean(wait)
        self.agents.verify_clean()
