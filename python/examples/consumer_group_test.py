"""Consumer groups: every record reaches the group, whatever becomes of its coordinator."""

import threading
import time
from typing import List, Set

from base import KafkaTest, Load
from confluent_kafka import Consumer
from ducktape.mark.resource import cluster
from ducktape.utils.util import wait_until

from faultline.ducktape import verified

GROUP = "workers"
#: Where its offsets are: (String.hashCode() & 0x7fffffff) % offsets.topic.num.partitions.
OFFSETS_PARTITION = 1


class Worker(threading.Thread):
    """A member of the group, which commits what it has handled."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        super().__init__(daemon=True)
        self.seen: List[str] = []
        self.ended = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": GROUP,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 6000,
                "enable.auto.commit": False,
            }
        )
        self._consumer.subscribe([topic])

    def run(self) -> None:
        while not self.ended.is_set():
            message = self._consumer.poll(0.2)
            if message is not None and message.error() is None:
                self.seen.append(message.value().decode())
                self._consumer.commit(message, asynchronous=True)
        self._consumer.close()


class ConsumerGroupTest(KafkaTest):
    @cluster(num_nodes=4)
    @verified
    def test_brokers_stall_and_are_cut_off_in_turn(self) -> None:
        self.kafka.create_topic("jobs", partitions=3)
        workers = [Worker(self.kafka.bootstrap(), "jobs") for _ in range(2)]
        for worker in workers:
            worker.start()
        try:
            with Load(self.producer(), "jobs") as load:
                load.await_more(100)
                wait_until(lambda: all(one.seen for one in workers), 30, 0.2, err_msg="no shares")
                coordinator = self.kafka.leader("__consumer_offsets", OFFSETS_PARTITION)
                with self.faultline.process_pause(targets=[coordinator]):
                    load.await_more(300)
                with self.faultline.network_partition(targets="leader(jobs-0)", shape="isolate"):
                    load.await_more(300)
            self.await_all(workers, load.acked)
        finally:
            for worker in workers:
                worker.ended.set()
            for worker in workers:
                worker.join(30)

    def await_all(self, workers: List[Worker], acked: Set[str]) -> None:
        def missing() -> Set[str]:
            return acked.difference(*(set(list(worker.seen)) for worker in workers))

        begun = time.monotonic()
        wait_until(
            lambda: not missing(),
            60,
            0.2,
            err_msg=lambda: "the group never saw %s" % sorted(missing())[:10],
        )
        self.logger.info("the group had everything after %.1f s" % (time.monotonic() - begun))
