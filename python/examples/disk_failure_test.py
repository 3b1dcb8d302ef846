"""A disk that fails: the broker gives its leadership away, and nothing acknowledged is lost."""

from base import KafkaTest, Load
from ducktape.mark.resource import cluster
from ducktape.utils.util import wait_until

from faultline.ducktape import verified


class DiskFailureTest(KafkaTest):
    disk = True

    @cluster(num_nodes=4)
    @verified
    def test_writes_of_the_leader_fail(self) -> None:
        self.kafka.create_topic("events")
        with Load(self.producer(), "events") as load:
            load.await_more(100)
            broken = self.kafka.leader("events")
            with self.faultline.disk_error(
                targets=[broken],
                errno="EIO",
                preset="log",
                topic_partitions=["events-0"],
                match={"op": ["write"]},
            ) as fault:
                load.await_more(400)
                self.kafka.await_leader("events", lambda leader: leader is not broken)
            (node,) = fault.status["nodes"].values()
            assert node["receipt"]["during"]["hits"] > 0, node
            # Its only log directory went offline, so the broker has ended.
            wait_until(lambda: not self.kafka.alive(broken), 30, err_msg="the broker goes on")
            self.kafka.start_again(broken)
            self.kafka.await_in_sync("events", 3)
        assert not load.failed, load.failed[:3]
        assert load.acked <= set(self.read("events")), "acknowledged and lost"
