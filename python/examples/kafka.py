"""A small Kafka of three nodes as a service of ducktape, for the examples beside it.

Any service will do in its place: Faultline knows nothing of this one but what
``FaultlineAgents.add`` is told. The nodes have java, and Kafka's jars where the global ``kafka_jars`` says.
"""

from __future__ import annotations

import shlex
import time
import uuid
from typing import Any, Callable, Dict, Optional

from confluent_kafka.admin import AdminClient, NewTopic
from ducktape.services.service import Service
from ducktape.utils.util import wait_until

ROOT = "/mnt/kafka"
DATA = ROOT + "/data"

LISTENERS = [
    {"name": "CLIENT", "port": 9092, "purpose": "client"},
    {"name": "CONTROLLER", "port": 9093, "purpose": "controller"},
    {"name": "REPLICATION", "port": 9094, "purpose": "replication"},
]

#: How an agent finds the broker of a node and starts it again.
SERVICES = {
    "broker": {"match": {"mainClass": "kafka.Kafka"}, "start": {"argv": [ROOT + "/start.sh"]}}
}

START = """#!/bin/sh
# Starts the broker, and does not wait for it.
cd {root}
[ -e {root}/formatted ] || java {options} -cp {jars} kafka.tools.StorageTool format -t {id} \\
  -c {root}/server.properties > {root}/format.out 2>&1 && : > {root}/formatted || exit 1
nohup setsid java {options} -Xms256m -Xmx256m \\
  -Dlog4j2.configurationFile={root}/log4j2.properties -cp {jars} \\
  kafka.Kafka {root}/server.properties >> {root}/broker.out 2>&1 < /dev/null &
"""

LOG4J = """rootLogger.level = INFO
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {root}/broker.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d] %p %m (%c)%n
"""


class Kafka(Service):
    """:param disk: keeps the data where Faultline can make the disk fail (``faultline mount``)."""

    logs = {
        "kafka_log": {"path": ROOT + "/broker.log", "collect_default": False},
        "kafka_out": {"path": ROOT + "/broker.out", "collect_default": False},
        "kafka_format": {"path": ROOT + "/format.out", "collect_default": False},
    }

    def __init__(self, context: Any, num_nodes: int = 3, *, disk: bool = False) -> None:
        super().__init__(context, num_nodes=num_nodes)
        self.cluster_id = uuid.uuid4().hex[:22]
        self.disk = disk
        self._admin: Optional[AdminClient] = None
        usual = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
        self.options = context.globals.get("java_options", usual)
        self.jars = context.globals.get("kafka_jars", "/run/faultline-lab/kafka/*")

    def bootstrap(self) -> str:
        return ",".join("%s:9092" % node.account.externally_routable_ip for node in self.nodes)

    def admin(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap()})
        return self._admin

    def create_topic(self, name: str, partitions: int = 1) -> None:
        """A topic with three replicas, once every partition of it has all of them in sync."""
        config = {"min.insync.replicas": "2"}
        topic = NewTopic(name, partitions, replication_factor=3, config=config)
        self.admin().create_topics([topic])[name].result(30)
        self.await_in_sync(name, 3)

    def await_in_sync(self, topic: str, replicas: int, timeout_sec: int = 60) -> None:
        def enough() -> bool:
            found = self.admin().list_topics(topic, timeout=10).topics[topic].partitions.values()
            return bool(found) and all(len(one.isrs) >= replicas for one in found)

        says = "%s: fewer in sync than %d" % (topic, replicas)
        wait_until(enough, timeout_sec, 0.5, err_msg=says)

    def leader(self, topic: str, partition: int = 0) -> Any:
        """The node that leads a topic-partition, None while nobody does."""
        found = self.admin().list_topics(topic, timeout=10).topics[topic].partitions[partition]
        return self.nodes[found.leader - 1] if found.leader > 0 else None

    def await_leader(self, topic: str, wanted: Callable[[Any], bool]) -> None:
        def there() -> bool:
            leader = self.leader(topic)
            return leader is not None and wanted(leader)

        says = "the leader of %s is not the one that was wanted" % topic
        wait_until(there, 60, 0.5, err_msg=says)

    def start(self, **kwargs: Any) -> None:
        super().start(**kwargs)
        wait_until(
            lambda: len(self._brokers()) == len(self.nodes),
            60,
            0.5,
            err_msg="not all brokers came up",
        )

    def _brokers(self) -> Dict[int, Any]:
        try:
            return dict(self.admin().list_topics(timeout=2).brokers)
        except Exception:  # noqa: BLE001
            # Nobody answers yet.
            return {}

    def start_node(self, node: Any, **kwargs: Any) -> None:
        account, number = node.account, self.idx(node)
        address = account.externally_routable_ip
        at = "{0}://%s:{1}" % address
        listeners = [at.format(one["name"], one["port"]) for one in LISTENERS]
        properties = {
            "process.roles": "broker,controller",
            "node.id": number,
            "controller.quorum.voters": ",".join(
                "%d@%s:9093" % (self.idx(one), one.account.externally_routable_ip)
                for one in self.nodes
            ),
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join([listeners[0], listeners[2]]),
            "listener.security.protocol.map": ",".join(
                "%s:PLAINTEXT" % one["name"] for one in LISTENERS
            ),
            "inter.broker.listener.name": "REPLICATION",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": DATA,
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.num.partitions": 4,
            "transaction.state.log.min.isr": 2,
            "group.initial.rebalance.delay.ms": 0,
            "replica.lag.time.max.ms": 10000,
            "broker.session.timeout.ms": 6000,
            "broker.heartbeat.interval.ms": 1000,
            "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
        }
        account.ssh("mkdir -p %s" % DATA)
        if self.disk:
            self._mount(node)
        text = "".join("%s=%s\n" % one for one in properties.items())
        account.create_file(ROOT + "/server.properties", text)
        account.create_file(ROOT + "/log4j2.properties", LOG4J.format(root=ROOT))
        start = START.format(
            root=ROOT, jars=shlex.quote(self.jars), id=self.cluster_id, options=self.options
        )
        account.create_file(ROOT + "/start.sh", start)
        account.ssh("chmod 755 %s/start.sh" % ROOT)
        # Formats the directory and starts, on all nodes at once.
        self.start_again(node)

    def start_again(self, node: Any) -> None:
        node.account.ssh("nohup %s/start.sh > /dev/null 2>&1 < /dev/null &" % ROOT)

    def _mount(self, node: Any) -> None:
        node.account.ssh(
            "nohup setsid faultline mount %s %s > %s/mount.log 2>&1 < /dev/null &"
            % (DATA, DATA, ROOT)
        )
        wait_until(
            lambda: node.account.ssh("mountpoint -q %s" % DATA, allow_fail=True) == 0,
            20,
            0.2,
            err_msg="no file system of Faultline's at %s" % DATA,
        )

    def alive(self, node: Any) -> bool:
        return bool(node.account.ssh("pgrep -f 'kafka[.]Kafka ' > /dev/null", allow_fail=True) == 0)

    def stop_node(self, node: Any, **kwargs: Any) -> None:
        node.account.ssh("pkill -KILL -f 'kafka[.]Kafka '", allow_fail=True)
        until = time.monotonic() + 10
        while self.alive(node) and time.monotonic() < until:
            time.sleep(0.1)

    def clean_node(self, node: Any, **kwargs: Any) -> None:
        node.account.ssh("umount %s" % DATA, allow_fail=True)
        node.account.ssh("rm -rf %s" % ROOT, allow_fail=False)
