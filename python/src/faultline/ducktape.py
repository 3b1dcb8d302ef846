"""Faultline as services of ducktape.

::

    class ReplicationTest(Test):
        def setup(self):
            self.kafka = MyKafka(self.test_context, num_nodes=3)
            self.agents = FaultlineAgents(self.test_context)
            self.agents.add(self.kafka, roles=["broker", "controller"])
            self.faultline = FaultlineService(self.test_context, self.agents, bootstrap=...)
            for service in (self.kafka, self.agents, self.faultline):
                service.start()

        @cluster(num_nodes=4)
        def test_leader_is_cut_off(self):
            with self.faultline.network_partition(targets="leader(events-0)", shape="isolate"):
                ...

Any Service can be added; what its nodes are to Faultline is said by roles. On every node the
program ``faultline`` must be there: on the PATH, or where the global ``faultline_home`` says.
"""

from __future__ import annotations

import functools
import json
import secrets
import shlex
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, TypeVar, Union, cast

from ducktape.services.service import Service

from .client import Faultline
from .errors import FaultlineError, NotClean, describe
from .fault import ActiveFault
from .kinds import Kinds
from .transport import account_name

Test = TypeVar("Test", bound=Callable[..., Any])

ROOT = "/mnt/faultline"
AGENT_PORT = 7711
COORDINATOR_PORT = 7700
START_SECONDS = 30.0


def program(context: Any) -> str:
    """The command on a node: below the global ``faultline_home``, else on the PATH."""
    home = context.globals.get("faultline_home")
    return "faultline" if home is None else "%s/faultline" % home.rstrip("/")


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
            addresses = _addresses(entry["node"])
            node = {
                "name": account_name(entry["node"].account),
                "agent": "http://%s:%d" % (addresses[0], AGENT_PORT),
                "addresses": addresses,
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
        account.ssh("umask 077; mkdir -p %s" % ROOT)
        _put(account, ROOT + "/agents.token", self.token + "\n")
        _put(account, ROOT + "/agent.json", json.dumps({"services": entry["services"]}))
        command = [
            program(self.context),
            "agent",
            "--insecure",
            *("--node", account_name(account)),
            *("--cluster", self.cluster_name),
            *("--listen", "%s:%d" % (_addresses(node)[0], AGENT_PORT)),
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
            _await_line(node, "%s/agent.log" % ROOT, "is ready:", "%s/agent.pid" % ROOT)

    def stop_node(self, node: Any, **kwargs: Any) -> None:
        """SIGTERM: everything heals first. What does not end is killed, and its node healed."""
        _end(node, ROOT + "/agent.pid")
        self._heal_offline(node)

    def clean_node(self, node: Any, **kwargs: Any) -> None:
        """Never while something is left to be undone: the journal says how."""
        self._heal_offline(node)
        node.account.ssh("rm -rf %s" % ROOT, allow_fail=False)

    def _heal_offline(self, node: Any) -> None:
        done = _run(
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
            says = _run(node, command % (program(self.context), ROOT, ROOT))
            if says is not None:
                left = [line for line in says.splitlines() if line.startswith("LEFT")] or [says]
                found += ["%s: %s" % (account_name(node.account), line) for line in left]
        if found:
            raise NotClean("\n".join(found))


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
        account.ssh("umask 077; mkdir -p %s" % ROOT)
        _put(account, ROOT + "/cluster.json", json.dumps(cluster, indent=2))
        _put(account, ROOT + "/people.token", "%s operate ducktape\n" % self._token)
        _put(account, ROOT + "/to-agents.token", self.agents.token + "\n")
        address = _addresses(node)[0]
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
        _await_line(node, ROOT + "/coordinator.log", "is ready:", ROOT + "/coordinator.pid")
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
        _end(node, ROOT + "/coordinator.pid")
        self._client = None

    def _finish(self, node: Any, client: Faultline) -> None:
        try:
            left = client.open_faults()
            if left:
                self.error = "faults were left to teardown:\n" + "\n".join(map(describe, left))
                client.heal()
            client.verify_clean()
            faults = client.rest.list_faults()["faults"]
            _put(node.account, ROOT + "/faults.json", json.dumps(faults, indent=2))
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


def verified(test: Test) -> Test:
    """For a test of ducktape with an attribute ``faultline``: ``verify_clean`` when it is over.

    What is raised in ``teardown`` does not fail a test of ducktape; what is raised here does.
    """

    @functools.wraps(test)
    def cleanly(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = test(self, *args, **kwargs)
        self.faultline.verify_clean()
        return result

    return cast(Test, cleanly)


def _addresses(node: Any) -> List[str]:
    """What a node's traffic comes from, the one that others reach it by first."""
    account = node.account
    said = cast(bytes, account.ssh_output("hostname -I", allow_fail=True))
    listed = [str(word) for word in said.decode("utf-8", "replace").split()]
    first = account.externally_routable_ip or account.hostname
    return [first] + [one for one in listed if one != first]


def _put(account: Any, path: str, text: str) -> None:
    """A file that only its owner reads, whole at once. The text is on no command line."""
    account.ssh("umask 077; : > %s.new" % path)
    account.create_file(path + ".new", text)
    account.ssh("mv %s.new %s" % (path, path))


def _run(node: Any, command: str) -> Optional[str]:
    """None where the command succeeded, else what it said."""
    marked = '{ %s; } 2>&1; echo "exit $?"' % command
    said = cast(bytes, node.account.ssh_output(marked, allow_fail=True)).decode("utf-8", "replace")
    text, _, code = said.rstrip().rpartition("exit ")
    return None if code == "0" else text.strip() or "exit code %s" % code


def _await_line(node: Any, log: str, line: str, pid_file: str) -> None:
    until = time.monotonic() + START_SECONDS
    while _run(node, "grep -q %s %s" % (shlex.quote(line), log)) is not None:
        gone = _run(node, "kill -0 $(cat %s)" % pid_file) is not None
        if gone or time.monotonic() > until:
            said = node.account.ssh_output("tail -n 20 %s" % log, allow_fail=True).decode()
            raise FaultlineError("%s did not start:\n%s" % (log, said))
        time.sleep(0.2)


def _end(node: Any, pid_file: str) -> None:
    """SIGTERM, and SIGKILL after 20 s; nothing where nothing runs."""
    script = (
        'pid=$(cat {f} 2>/dev/null) || exit 0; '
        'grep -qs faultline /proc/$pid/cmdline || {{ rm -f {f}; exit 0; }}; '
        'kill -TERM $pid; n=0; '
        'while kill -0 $pid 2>/dev/null && [ $n -lt 200 ]; do sleep 0.1; n=$((n+1)); done; '
        'kill -KILL $pid 2>/dev/null; rm -f {f}; true'
    ).format(f=pid_file)
    node.account.ssh("sh -c %s" % shlex.quote(script), allow_fail=True)
