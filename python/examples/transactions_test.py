"""Transactions: readers see what was committed, all of it, and nothing else."""

from base import KafkaTest
from ducktape.mark.resource import cluster

from faultline.ducktape import verified


class TransactionsTest(KafkaTest):
    @cluster(num_nodes=4)
    @verified
    def test_coordinator_and_leader_stall(self) -> None:
        self.kafka.create_topic("payments")
        producer = self.producer(transactional_id="payer", transaction_timeout_ms=60000)
        producer.init_transactions(30)
        committed = []

        def transaction(number: int, commit: bool) -> None:
            values = ["%d-%d" % (number, part) for part in range(5)]
            producer.begin_transaction()
            for value in values:
                producer.produce("payments", value)
            if commit:
                producer.commit_transaction(60)
                committed.extend(values)
            else:
                # Else it would be dropped before it is ever sent.
                producer.flush(60)
                producer.abort_transaction(60)

        for number in range(10):
            transaction(number, commit=number % 3 != 0)
        for where in ("leader(payments-0)", "controller.active"):
            with self.faultline.process_pause(targets=where):
                # Longer than the broker's session: the controller moves what it led.
                for number in range(10):
                    transaction(100 + len(committed) + number, commit=number % 3 != 0)
            self.kafka.await_in_sync("payments", 3)
        assert self.read("payments") == committed, "committed and read differ"
        everything = self.read("payments", "read_uncommitted")
        assert len(everything) > len(committed), "what was aborted is there for those who ask"
