"""The agents, as a service of ducktape."""

from __future__ import annotations

import json
import secrets
import shlex
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Union

from ducktape.services.service import Service

from ..errors import FaultlineError, NotClean
from ..transport import account_name
from .on_node import ROOT, addresses, await_line, end, make_room, program, put, run

AGENT_PORT = 7711


class FaultlineAgents(Service):  # type: ignore[misc]
    """An agent on every node of other services. It has no nodes of its own.

    :param services: as in an agent's configuration, for every node: how a broker is found and
        started again. What ``add`` says goes before it.
    """

    logs = {
        "faultline_agent_log": {"path": ROOT + "/agent.log", "collect_default": True},
    }

    def __init__(
        self,
        context: Any,
        *,
        cluster_name: str = "ducktape",
        services: Optional[Mapping[str, Any]] = None,
    ) -> None:
        self.nodes: List[Any] = []
        super().__init__(context, num_nodes=0)
        self.cluster_name = cluster_name
        self.token = secrets.token_hex(32)
        self._services: Dict[str, Any] = dict(services or {})
        self._added: List[Dict[str, Any]] = []
        self.error = ""

    def allocate_nodes(self) -> None:
        """The nodes belong to the services that are added."""

    def free(self) -> None:
        """The nodes are freed by their own services."""
        self.nodes = []

    def add(
        self,
        target: Union[Service, Sequence[Any]],
        *,
        roles: Sequence[str] = ("client",),
        services: Optional[Mapping[str, Any]] = None,
        listeners: Sequence[Mapping[str, Any]] = (),
        rack: Optional[Callable[[Any], str]] = None,
        kafka_id: Optional[Callable[[Any], int]] = None,
    ) -> None:
        """Agents for the nodes of a service, or for a list of nodes. Before ``start``.

        :param roles: of broker, controller, client, zookeeper.
        :param listeners: as in a cluster.yaml: name, port, purpose.
        :param kafka_id: a node's ``node.id``; found by address where it is left out.
        """
        for node in getattr(target, "nodes", target):
            if any(node is one["node"] for one in self._added):
                raise FaultlineError("%s was added before" % account_name(node.account))
            entry: Dict[str, Any] = {"node": node, "roles": list(roles)}
            entry["listeners"] = [dict(one) for one in listeners]
            entry["services"] = {**self._services, **(services or {})}
            entry["rack"] = None if rack is None else rack(node)
            entry["kafkaId"] = None if kafka_id is None else kafka_id(node)
            self._added.append(entry)
            self.nodes.append(node)

    def described(self) -> List[Dict[str, Any]]:
        """The nodes as a cluster.yaml has them."""
        nodes = []
        for entry in self._added:
            reached_at = addresses(entry["node"])
            node = {
                "name": account_name(entry["node"].account),
                "agent": "http://%s:%d" % (reached_at[0], AGENT_PORT),
                "addresses": reached_at,
                "roles": entry["roles"],
                "listeners": entry["listeners"] or None,
                "rack": entry["rack"],
                "kafkaId": entry["kafkaId"],
            }
            nodes.append({key: value for key, value in node.items() if value is not None})
        return nodes

    def start_node(self, node: Any, **kwargs: Any) -> None:
        entry = next(one for one in self._added if one["node"] is node)
        account = node.account
        make_room(account, "agent")
        put(account, ROOT + "/agents.token", self.token + "\n")
        put(account, ROOT + "/agent.json", json.dumps({"services": entry["services"]}))
        command = [
            program(self.context),
            "agent",
            "--insecure",
            *("--node", account_name(account)),
            *("--cluster", self.cluster_name),
            *("--listen", "%s:%d" % (addresses(node)[0], AGENT_PORT)),
            *("--state", ROOT + "/agent"),
            *("--config", ROOT + "/agent.json"),
            *("--token-file", ROOT + "/agents.token"),
        ]
        line = " ".join(shlex.quote(word) for word in command)
        account.ssh(
            "nohup setsid %s > %s/agent.log 2>&1 < /dev/null & echo $! > %s/agent.pid"
            % (line, ROOT, ROOT)
        )

    def start(self, **kwargs: Any) -> None:
        """On all nodes at once: each is told to start, then each is waited for."""
        super().start(**kwargs)
        for node in self.nodes:
            await_line(node, "%s/agent.log" % ROOT, "is ready:", "%s/agent.pid" % ROOT)

    def stop_node(self, node: Any, **kwargs: Any) -> None:
        """SIGTERM: everything heals first. What does not end is killed, and its node healed."""
        end(node, ROOT + "/agent.pid")
        self._heal_offline(node)

    def clean_node(self, node: Any, **kwargs: Any) -> None:
        """Never while something is left to be undone: the journal says how."""
        self._heal_offline(node)
        node.account.ssh("rm -rf %s" % ROOT, allow_fail=False)

    def _heal_offline(self, node: Any) -> None:
        done = run(
            node,
            "[ ! -d {root}/agent ] || {faultline} heal --offline --state {root}/agent "
            "--config {root}/agent.json".format(root=ROOT, faultline=program(self.context)),
        )
        if done is not None:
            self.error = "%s is not healed: %s" % (account_name(node.account), done)
            raise NotClean(self.error)

    def verify_clean(self) -> None:
        """:raises NotClean: what ``faultline doctor`` finds on a node."""
        command = "%s doctor --state %s/agent --config %s/agent.json"
        found = []
        for node in self.nodes:
            says = run(node, command % (program(self.context), ROOT, ROOT))
            if says is not None:
                left = [line for line in says.splitlines() if line.startswith("LEFT")] or [says]
                found += ["%s: %s" % (account_name(node.account), line) for line in left]
        if found:
            raise NotClean("\n".join(found))
