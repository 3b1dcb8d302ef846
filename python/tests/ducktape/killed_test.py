"""A test that is killed in the middle of a fault: what becomes of it is looked at from outside."""

from __future__ import annotations

import os
import time
from typing import Any

from ducktape.mark.resource import cluster
from ducktape.services.service import Service
from ducktape.tests.test import Test

from faultline.ducktape import FaultlineAgents, FaultlineService

PID_FILE = "/mnt/sleeper.pid"


class Sleeper(Service):
    """A service of one process, which is not Kafka."""

    def start_node(self, node: Any, **kwargs: Any) -> None:
        node.account.ssh(
            "nohup setsid sleep 3600 > /dev/null 2>&1 < /dev/null & echo $! > %s" % PID_FILE
        )

    def stop_node(self, node: Any, **kwargs: Any) -> None:
        node.account.ssh("kill -KILL $(cat %s)" % PID_FILE, allow_fail=True)

    def clean_node(self, node: Any, **kwargs: Any) -> None:
        node.account.ssh("rm -f %s" % PID_FILE)


class KilledTest(Test):
    @cluster(num_nodes=2)
    def test_ends_never(self) -> None:
        sleeper = Sleeper(self.test_context, num_nodes=1)
        agents = FaultlineAgents(self.test_context)
        agents.add(sleeper)
        faultline = FaultlineService(self.test_context, agents, lease="5s")
        for service in (sleeper, agents, faultline):
            service.start()
        with faultline.process_pause(
            id="orphan", targets=sleeper.nodes, process={"pidFile": PID_FILE}
        ):
            with open(os.environ["FAULTLINE_TEST_MARKER"], "w", encoding="utf-8") as marker:
                marker.write(agents.token)
            time.sleep(3600)
