"""Replication: what was acknowledged survives the loss of its leader."""

from base import KafkaTest, Load
from ducktape.mark.resource import cluster

from faultline import chaos
from faultline.ducktape import verified


class ReplicationTest(KafkaTest):
    @cluster(num_nodes=4)
    @verified
    def test_leaders_are_cut_off_and_killed(self) -> None:
        self.kafka.create_topic("events")
        with Load(self.producer(), "events") as load:
            load.await_more(100)
            before = self.kafka.leader("events")
            with self.faultline.network_partition(targets="leader(events-0)", shape="isolate"):
                load.await_more(400)
            # Who was cut off believes for a while that it leads, and says so.
            self.kafka.await_leader("events", lambda leader: leader is not before)
            self.kafka.await_in_sync("events", 3)
            # Killed when the block begins, started again when it ends.
            with self.faultline.process_kill(targets="leader(events-0)"):
                load.await_more(400)
            self.kafka.await_in_sync("events", 3)
        assert not load.failed, load.failed[:3]
        values = self.read("events")
        assert len(values) == len(set(values)), "an idempotent producer wrote twice"
        assert load.acked <= set(values), "acknowledged and lost"

    @cluster(num_nodes=4)
    @verified
    @chaos(seed=7, kinds=["process.pause", "network.partition"], every="4s", longest="4s")
    def test_under_faults_from_a_seed(self) -> None:
        self.kafka.create_topic("events")
        with Load(self.producer(), "events") as load:
            load.await_more(2000)
        assert load.acked <= set(self.read("events")), "acknowledged and lost"
