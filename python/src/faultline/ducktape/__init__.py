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
from typing import Any, Callable, TypeVar, cast

from .agents import AGENT_PORT, FaultlineAgents
from .coordinator import COORDINATOR_PORT, FaultlineService
from .on_node import ROOT, START_SECONDS, program

__all__ = [
    "AGENT_PORT",
    "COORDINATOR_PORT",
    "ROOT",
    "START_SECONDS",
    "FaultlineAgents",
    "FaultlineService",
    "program",
    "verified",
]

Test = TypeVar("Test", bound=Callable[..., Any])


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
