"""What the examples share: a cluster, agents on it, a coordinator, and a test that ends clean."""

from __future__ import annotations

import threading
from typing import Any, List, Set

from confluent_kafka import Consumer, Producer, TopicPartition
from ducktape.tests.test import Test
from ducktape.utils.util import wait_until
from kafka import LISTENERS, SERVICES, Kafka

from faultline.ducktape import FaultlineAgents, FaultlineService


class KafkaTest(Test):
    disk = False

    def setup(self) -> None:
        self.kafka = Kafka(self.test_context, disk=self.disk)
        self.agents = FaultlineAgents(self.test_context, services=SERVICES)
        self.agents.add(
            self.kafka,
            roles=["broker", "controller"],
            listeners=LISTENERS,
            kafka_id=self.kafka.idx,
        )
        self.faultline = FaultlineService(
            self.test_context, self.agents, bootstrap=self.kafka.bootstrap
        )
        for service in (self.kafka, self.agents, self.faultline):
            service.start()

    def producer(self, **config: Any) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self.kafka.bootstrap(),
                "enable.idempotence": True,
                "linger.ms": 5,
                "socket.timeout.ms": 3000,
                "message.timeout.ms": 60000,
                **{key.replace("_", "."): value for key, value in config.items()},
            }
        )

    def read(self, topic: str, isolation: str = "read_committed") -> List[str]:
        """Everything in partition 0 of a topic, to its end as it is now."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap(),
                "group.id": "reader",
                "isolation.level": isolation,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        values: List[str] = []
        try:
            consumer.assign([TopicPartition(topic, 0, 0)])
            while True:
                message = consumer.poll(30)
                assert message is not None, "nothing more to read, and no end"
                if message.error() is None:
                    values.append(message.value().decode())
                elif message.error().name() == "_PARTITION_EOF":
                    return values
        finally:
            consumer.close()


class Load:
    """Produces numbered records at a steady rate while its block runs, and knows which were
    acknowledged. Left, it waits for the last of them."""

    def __init__(self, producer: Producer, topic: str, per_second: int = 200) -> None:
        self._producer, self._topic, self._pause = producer, topic, 1 / per_second
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.acked: Set[str] = set()
        self.failed: List[str] = []

    def _done(self, error: Any, message: Any) -> None:
        value = message.value().decode()
        if error is None:
            self.acked.add(value)
        else:
            self.failed.append("%s: %s" % (value, error))

    def _run(self) -> None:
        number = 0
        while not self._ended.is_set():
            self._producer.produce(self._topic, str(number), on_delivery=self._done)
            number += 1
            self._producer.poll(0)
            self._ended.wait(self._pause)

    def await_more(self, records: int) -> None:
        """Returns once so many more have been acknowledged."""
        goal = len(self.acked) + records
        wait_until(lambda: len(self.acked) >= goal, 60, 0.1, err_msg="the load is stuck")

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()
        self._thread.join(10)
        left = self._producer.flush(60)
        assert left == 0, "%d records are still on their way" % left
