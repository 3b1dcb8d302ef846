"""Context managers of the fault kinds, against a stub of the coordinator."""

from __future__ import annotations

import tempfile
import types
import unittest
import unittest.mock
from typing import Any

from stub import TOKEN, Stub

import faultline
from faultline import ApiError, FaultFailed, Faultline, NotClean
from faultline.client import first_token
from faultline.fault import seconds


class FaultTest(unittest.TestCase):
    def setUp(self) -> None:
        self.stub = Stub()
        self.addCleanup(self.stub.close)
        self.client = Faultline(self.stub.url, TOKEN, lease="5s")

    def only(self) -> Any:
        (fault,) = self.stub.faults.values()
        return fault

    def test_in_force_inside_and_healed_after(self) -> None:
        with self.client.network_partition(targets="n1", shape="isolate") as fault:
            self.assertEqual(self.only()["state"], "active")
            self.assertEqual(fault.status["effect"], "seen")
        self.assertEqual(self.only()["state"], "healed")
        request = self.only()["request"]
        self.assertEqual(request["params"], {"shape": "isolate"})
        self.assertEqual((request["lease"], request["duration"]), ("5s", "10m"))

    def test_healed_after_an_exception_which_passes_through(self) -> None:
        with self.assertRaises(ZeroDivisionError):
            with self.client.process_pause(targets=["n1"]):
                raise ZeroDivisionError
        self.assertEqual(self.only()["state"], "healed")

    def test_an_exception_is_not_hidden_by_a_fault_that_does_not_heal(self) -> None:
        self.stub.healed = {"state": "failed"}
        with self.assertRaises(ZeroDivisionError):
            with self.client.process_pause(targets=["n1"]):
                raise ZeroDivisionError

    def test_every_kind_has_a_method_here_and_in_the_module(self) -> None:
        for method, kind in faultline.KINDS.items():
            self.assertTrue(callable(getattr(self.client, method)), kind)
            self.assertIn(method, dir(faultline))

    def test_names_of_parameters_are_those_of_the_wire(self) -> None:
        with self.client.disk_error(errno="EIO", topic_partitions=["orders-0"], targets="n1"):
            pass
        params = self.only()["request"]["params"]
        self.assertEqual(params, {"errno": "EIO", "topicPartitions": ["orders-0"]})

    def test_what_happens_once_takes_no_duration(self) -> None:
        with self.client.process_kill(targets="n1") as fault:
            self.assertEqual(fault.status["state"], "healed")
        self.assertNotIn("duration", self.only()["request"])

    def test_nodes_may_be_objects(self) -> None:
        account = types.SimpleNamespace(hostname="198.18.0.11", ssh_config=None)
        node = types.SimpleNamespace(account=account)
        named = types.SimpleNamespace(name="n2")
        with self.client.network_partition(groups=[[node], [named]]):
            pass
        self.assertEqual(self.only()["request"]["params"]["groups"], [["198.18.0.11"], ["n2"]])

    def test_a_fault_that_does_not_bite_fails_with_its_receipts_and_is_healed(self) -> None:
        self.stub.created = {"state": "failed", "effect": "unseen"}
        with self.assertRaisesRegex(FaultFailed, "n1: effect seen: 2 packets dropped"):
            self.client.network_partition(targets="n1").start()
        self.assertEqual(self.stub.requests[-1][0], "DELETE")

    MOVED = {
        "state": "missed",
        "selector": {"expression": "leader(a-0)", "atArming": ["n1"], "atFiring": ["n2"]},
    }

    def test_a_selector_that_moves_while_the_fault_is_armed_is_asked_again(self) -> None:
        self.stub.created_next = [self.MOVED, self.MOVED]
        with self.client.process_pause(targets="leader(a-0)") as fault:
            self.assertEqual(fault.status["state"], "active")
        states = [one["state"] for one in self.stub.faults.values()]
        self.assertEqual(states, ["missed", "missed", "healed"])
        self.assertEqual(fault.id, list(self.stub.faults)[-1])

    def test_a_selector_that_moves_is_told_where_the_id_was_given_or_time_is_up(self) -> None:
        self.stub.created = self.MOVED
        for options in ({"id": "mine"}, {"wait": "200ms"}):
            with self.assertRaisesRegex(FaultFailed, "is missed"):
                self.client.process_pause(targets="leader(a-0)", **options).start()
        self.assertEqual(self.stub.faults["mine"]["state"], "missed")

    def test_a_fault_that_never_comes_into_force_is_given_up_and_healed(self) -> None:
        self.stub.created = {"effect": "pending"}
        with self.assertRaisesRegex(FaultFailed, "not in force within 0.2 s"):
            self.client.network_partition(targets="n1", wait="200ms").start()
        self.assertEqual(self.only()["state"], "healed")

    def test_a_fault_that_ended_early_fails_the_block(self) -> None:
        with self.assertRaisesRegex(FaultFailed, "ended early, by lease"):
            with self.client.network_partition(targets="n1"):
                self.only().update(state="healed", endedBy="lease")

    def test_a_deadline_of_ones_own_may_end_it_and_the_longest_may_not(self) -> None:
        with self.client.network_partition(targets="n1", duration="1s"):
            self.only().update(state="healed", endedBy="deadline")
        self.stub.faults.clear()
        with self.assertRaisesRegex(FaultFailed, "outlasted"):
            with self.client.network_partition(targets="n1"):
                self.only().update(state="healed", endedBy="deadline")

    def test_a_refusal_names_every_problem(self) -> None:
        problems = [
            {"path": "/targets", "message": "nobody is called n9", "nearMiss": "n1"},
            {"path": "/params/shape", "message": "no such shape"},
        ]
        self.stub.refusal = {"status": 422, "detail": "2 problems", "problems": problems}
        with self.assertRaises(ApiError) as caught:
            self.client.network_partition(targets="n9").start()
        self.assertIn("/targets: nobody is called n9; did you mean n1", str(caught.exception))
        self.assertIn("/params/shape", str(caught.exception))

    def test_what_got_no_answer_is_asked_again_by_the_same_id(self) -> None:
        self.stub.hang_up = 2
        with self.client.noop(targets="n1") as fault:
            self.assertEqual(self.only()["id"], fault.id)

    def test_half_an_answer_is_none(self) -> None:
        self.stub.cut = 1
        with self.client.process_pause(targets=["n1"]) as fault:
            self.assertEqual(fault.status["state"], "active")

    def test_an_exception_is_not_hidden_by_a_coordinator_that_breaks_off(self) -> None:
        with unittest.mock.patch("faultline.transport.PATIENCE", 0.0):
            with self.assertRaises(ZeroDivisionError):
                with self.client.process_pause(targets=["n1"]):
                    self.stub.cut = 1000
                    raise ZeroDivisionError

    def test_a_refusal_without_its_end_is_one(self) -> None:
        self.stub.refusal = {"status": 409, "title": "conflict", "detail": "x" * 1000}
        self.stub.cut = 1
        with self.assertRaises(ApiError):
            self.client.process_pause(targets=["n1"]).start()

    def test_the_token_is_told_nobody_else(self) -> None:
        other = Stub()
        self.addCleanup(other.close)
        self.stub.elsewhere = other.url
        with self.assertRaises(ApiError):
            self.client.open_faults()
        self.assertEqual(other.requests, [])

    def test_what_is_asked_to_wait_may(self) -> None:
        hasty = Faultline(self.stub.url, TOKEN, timeout=0.2)
        self.stub.held = 0.5
        with unittest.mock.patch("faultline.transport.PATIENCE", 0.0):
            hasty.heal(wait="20s")

    def test_verify_clean_names_what_is_left(self) -> None:
        self.client.verify_clean()
        self.client.process_pause(targets="n1", id="left").start()
        with self.assertRaisesRegex(NotClean, "process.pause 'left' is active"):
            self.client.verify_clean("100ms")

    def test_a_wrong_token_is_said(self) -> None:
        with self.assertRaisesRegex(ApiError, r"no such token \(HTTP 401\)"):
            Faultline(self.stub.url, "wrong").open_faults()


class DurationTest(unittest.TestCase):
    def test_the_token_of_a_file_is_one_that_may_operate(self) -> None:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("# of people\n\nlooks read anna\nacts operate bert\nmore\n")
            file.flush()
            self.assertEqual(first_token(file.name), "acts")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("looks read\n")
            file.flush()
            self.assertEqual(first_token(file.name), "looks")

    def test_durations(self) -> None:
        self.assertEqual(seconds("1m30s"), 90)
        self.assertEqual(seconds("250ms"), 0.25)
        for wrong in ("", "5", "s", "5 s", "1x"):
            with self.assertRaises(ValueError):
                seconds(wrong)


if __name__ == "__main__":
    unittest.main()
