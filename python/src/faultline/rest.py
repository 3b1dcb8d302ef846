# Made by tools/python-client.ts from docs/reference/openapi-coordinator.json. Do not edit.
"""The coordinator's REST API, every route with its types."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Literal, Optional, TypedDict, Union

from .transport import Transport

_ProblemDetailsProblemsItemRequired = TypedDict(
    "_ProblemDetailsProblemsItemRequired",
    {
        "path": str,
        "message": str,
    },
)

_ProblemDetailsProblemsItemOptional = TypedDict(
    "_ProblemDetailsProblemsItemOptional",
    {
        "found": str,
        "expected": str,
        "nearMiss": str,
    },
    total=False,
)

class ProblemDetailsProblemsItem(_ProblemDetailsProblemsItemRequired, _ProblemDetailsProblemsItemOptional):
    pass


_ProblemDetailsRequired = TypedDict(
    "_ProblemDetailsRequired",
    {
        "type": str,
        "title": str,
        "status": int,
        "detail": str,
    },
)

_ProblemDetailsOptional = TypedDict(
    "_ProblemDetailsOptional",
    {
        "problems": List[ProblemDetailsProblemsItem],
        "conflictsWith": str,
    },
    total=False,
)

class ProblemDetails(_ProblemDetailsRequired, _ProblemDetailsOptional):
    pass


FaultRequestOverride = TypedDict(
    "FaultRequestOverride",
    {
        "limits": List[Literal["nodes", "roleShare", "quorum", "minInsyncReplicas"]],
        "reason": str,
    },
)

_FaultRequestRequired = TypedDict(
    "_FaultRequestRequired",
    {
        "id": str,
        "kind": str,
    },
)

_FaultRequestOptional = TypedDict(
    "_FaultRequestOptional",
    {
        "targets": Union[str, List[str]],
        "params": Dict[str, Any],
        "duration": str,
        "lease": Union[Literal["none"], str],
        "reason": str,
        "override": FaultRequestOverride,
        "startAt": str,
        "after": str,
        "every": str,
        "run": str,
    },
    total=False,
)

class FaultRequest(_FaultRequestRequired, _FaultRequestOptional):
    pass


_FaultStatusEarlierItemRequired = TypedDict(
    "_FaultStatusEarlierItemRequired",
    {
        "instance": int,
        "state": Literal["pending", "arming", "armed", "active", "healing", "healed", "refused", "missed", "failed", "stuck", "cancelled"],
    },
)

_FaultStatusEarlierItemOptional = TypedDict(
    "_FaultStatusEarlierItemOptional",
    {
        "firedAt": str,
        "endedAt": str,
        "endedBy": Literal["deadline", "request", "lease", "kernelExpiry", "guard", "agentRestart", "reboot"],
    },
    total=False,
)

class FaultStatusEarlierItem(_FaultStatusEarlierItemRequired, _FaultStatusEarlierItemOptional):
    pass


_FaultStatusSelectorRequired = TypedDict(
    "_FaultStatusSelectorRequired",
    {
        "expression": str,
        "atArming": List[str],
    },
)

_FaultStatusSelectorOptional = TypedDict(
    "_FaultStatusSelectorOptional",
    {
        "atFiring": List[str],
    },
    total=False,
)

class FaultStatusSelector(_FaultStatusSelectorRequired, _FaultStatusSelectorOptional):
    pass


_FaultStatusNodesValueReceiptRequired = TypedDict(
    "_FaultStatusNodesValueReceiptRequired",
    {
        "effect": Literal["seen", "unseen", "untestable", "pending"],
        "says": str,
        "notes": List[str],
    },
)

_FaultStatusNodesValueReceiptOptional = TypedDict(
    "_FaultStatusNodesValueReceiptOptional",
    {
        "backend": str,
        "before": Dict[str, Any],
        "during": Dict[str, Any],
        "after": Dict[str, Any],
        "actMs": float,
        "healMs": float,
    },
    total=False,
)

class FaultStatusNodesValueReceipt(_FaultStatusNodesValueReceiptRequired, _FaultStatusNodesValueReceiptOptional):
    pass


FaultStatusNodesValueContact = TypedDict(
    "FaultStatusNodesValueContact",
    {
        "lostSince": str,
        "endsAtLatest": Union[str, None],
    },
)

FaultStatusNodesValuePlanItem = TypedDict(
    "FaultStatusNodesValuePlanItem",
    {
        "says": str,
        "undo": str,
    },
)

_FaultStatusNodesValueProblemsItemRequired = TypedDict(
    "_FaultStatusNodesValueProblemsItemRequired",
    {
        "path": str,
        "message": str,
    },
)

_FaultStatusNodesValueProblemsItemOptional = TypedDict(
    "_FaultStatusNodesValueProblemsItemOptional",
    {
        "found": str,
        "expected": str,
        "nearMiss": str,
    },
    total=False,
)

class FaultStatusNodesValueProblemsItem(_FaultStatusNodesValueProblemsItemRequired, _FaultStatusNodesValueProblemsItemOptional):
    pass


FaultStatusNodesValueOpenUndosItem = TypedDict(
    "FaultStatusNodesValueOpenUndosItem",
    {
        "says": str,
        "attempts": int,
        "lastError": str,
    },
)

_FaultStatusNodesValueRequired = TypedDict(
    "_FaultStatusNodesValueRequired",
    {
        "state": Literal["pending", "arming", "armed", "active", "healing", "healed", "refused", "missed", "failed", "stuck", "cancelled"],
        "problems": List[FaultStatusNodesValueProblemsItem],
        "openUndos": List[FaultStatusNodesValueOpenUndosItem],
    },
)

_FaultStatusNodesValueOptional = TypedDict(
    "_FaultStatusNodesValueOptional",
    {
        "firedAt": str,
        "endedAt": str,
        "endedBy": Literal["deadline", "request", "lease", "kernelExpiry", "guard", "agentRestart", "reboot"],
        "receipt": FaultStatusNodesValueReceipt,
        "contact": FaultStatusNodesValueContact,
        "plan": List[FaultStatusNodesValuePlanItem],
        "error": str,
    },
    total=False,
)

class FaultStatusNodesValue(_FaultStatusNodesValueRequired, _FaultStatusNodesValueOptional):
    pass


_FaultStatusRequired = TypedDict(
    "_FaultStatusRequired",
    {
        "id": str,
        "kind": str,
        "request": "FaultRequest",
        "state": Literal["pending", "arming", "armed", "active", "healing", "healed", "refused", "missed", "failed", "stuck", "cancelled"],
        "effect": Literal["seen", "unseen", "untestable", "pending"],
        "instance": int,
        "earlier": List[FaultStatusEarlierItem],
        "owner": str,
        "targets": List[str],
        "actors": List[str],
        "createdAt": str,
        "nodes": Dict[str, FaultStatusNodesValue],
        "problems": List[FaultStatusNodesValueProblemsItem],
    },
)

_FaultStatusOptional = TypedDict(
    "_FaultStatusOptional",
    {
        "endedBy": Literal["deadline", "request", "lease", "kernelExpiry", "guard", "agentRestart", "reboot"],
        "run": str,
        "selector": FaultStatusSelector,
        "armedAt": str,
        "firedAt": str,
        "endedAt": str,
        "skewMs": float,
        "nextAt": str,
        "override": FaultRequestOverride,
    },
    total=False,
)

class FaultStatus(_FaultStatusRequired, _FaultStatusOptional):
    pass


_NodeStatusListenersItemRequired = TypedDict(
    "_NodeStatusListenersItemRequired",
    {
        "name": str,
        "port": int,
    },
)

_NodeStatusListenersItemOptional = TypedDict(
    "_NodeStatusListenersItemOptional",
    {
        "purpose": Literal["client", "replication", "controller"],
        "tls": bool,
    },
    total=False,
)

class NodeStatusListenersItem(_NodeStatusListenersItemRequired, _NodeStatusListenersItemOptional):
    pass


NodeStatusClock = TypedDict(
    "NodeStatusClock",
    {
        "offsetMs": float,
        "uncertaintyMs": float,
    },
)

NodeStatusCapabilitiesItem = TypedDict(
    "NodeStatusCapabilitiesItem",
    {
        "need": str,
        "met": bool,
        "why": str,
    },
)

_NodeStatusRequired = TypedDict(
    "_NodeStatusRequired",
    {
        "name": str,
        "roles": List[str],
        "addresses": List[str],
        "agent": Union[str, None],
        "link": Literal["linked", "unreachable", "refused", "none"],
        "capabilities": List[NodeStatusCapabilitiesItem],
        "faults": List[str],
    },
)

_NodeStatusOptional = TypedDict(
    "_NodeStatusOptional",
    {
        "listeners": List[NodeStatusListenersItem],
        "linkError": str,
        "since": str,
        "clock": NodeStatusClock,
        "version": str,
    },
    total=False,
)

class NodeStatus(_NodeStatusRequired, _NodeStatusOptional):
    pass


ScenarioClusterLab = TypedDict(
    "ScenarioClusterLab",
    {
        "brokers": int,
        "controllers": int,
        "kafka": str,
        "disks": int,
    },
    total=False,
)

ScenarioCluster = TypedDict(
    "ScenarioCluster",
    {
        "file": str,
        "lab": ScenarioClusterLab,
    },
    total=False,
)

_ScenarioWorkloadRequired = TypedDict(
    "_ScenarioWorkloadRequired",
    {
        "kind": str,
    },
)

_ScenarioWorkloadOptional = TypedDict(
    "_ScenarioWorkloadOptional",
    {
        "on": Union[str, List[str]],
        "params": Dict[str, Any],
    },
    total=False,
)

class ScenarioWorkload(_ScenarioWorkloadRequired, _ScenarioWorkloadOptional):
    pass


_ScenarioFaultsItemRequired = TypedDict(
    "_ScenarioFaultsItemRequired",
    {
        "at": str,
        "kind": str,
    },
)

_ScenarioFaultsItemOptional = TypedDict(
    "_ScenarioFaultsItemOptional",
    {
        "id": str,
        "targets": Union[str, List[str]],
        "params": Dict[str, Any],
        "duration": str,
        "every": str,
        "override": FaultRequestOverride,
    },
    total=False,
)

class ScenarioFaultsItem(_ScenarioFaultsItemRequired, _ScenarioFaultsItemOptional):
    pass


ScenarioDrawKindsItemDuration = TypedDict(
    "ScenarioDrawKindsItemDuration",
    {
        "min": str,
        "max": str,
    },
)

_ScenarioDrawKindsItemRequired = TypedDict(
    "_ScenarioDrawKindsItemRequired",
    {
        "kind": str,
    },
)

_ScenarioDrawKindsItemOptional = TypedDict(
    "_ScenarioDrawKindsItemOptional",
    {
        "weight": int,
        "targets": Union[str, List[str]],
        "params": Dict[str, Any],
        "duration": ScenarioDrawKindsItemDuration,
    },
    total=False,
)

class ScenarioDrawKindsItem(_ScenarioDrawKindsItemRequired, _ScenarioDrawKindsItemOptional):
    pass


ScenarioDrawQuiet = TypedDict(
    "ScenarioDrawQuiet",
    {
        "start": str,
        "end": str,
        "share": Union[float, str],
    },
    total=False,
)

_ScenarioDrawRequired = TypedDict(
    "_ScenarioDrawRequired",
    {
        "kinds": List[ScenarioDrawKindsItem],
        "every": str,
        "duration": ScenarioDrawKindsItemDuration,
    },
)

_ScenarioDrawOptional = TypedDict(
    "_ScenarioDrawOptional",
    {
        "arrivals": Literal["triangular", "geometric", "regular"],
        "concurrent": int,
        "quiet": ScenarioDrawQuiet,
        "swarm": bool,
    },
    total=False,
)

class ScenarioDraw(_ScenarioDrawRequired, _ScenarioDrawOptional):
    pass


ScenarioLimits = TypedDict(
    "ScenarioLimits",
    {
        "nodes": int,
        "roleShare": Union[float, str],
        "keepQuorum": bool,
        "keepMinInsyncReplicas": bool,
    },
    total=False,
)

_ScenarioRequired = TypedDict(
    "_ScenarioRequired",
    {
        "faultline": int,
        "name": str,
        "duration": str,
    },
)

_ScenarioOptional = TypedDict(
    "_ScenarioOptional",
    {
        "description": str,
        "cluster": ScenarioCluster,
        "workload": ScenarioWorkload,
        "steadyState": str,
        "recovery": str,
        "faults": List[ScenarioFaultsItem],
        "draw": ScenarioDraw,
        "limits": ScenarioLimits,
        "checks": List[str],
        "expect": Literal["valid", "invalid"],
    },
    total=False,
)

class Scenario(_ScenarioRequired, _ScenarioOptional):
    pass


ListFaultsAnswer = TypedDict(
    "ListFaultsAnswer",
    {
        "faults": List["FaultStatus"],
    },
)

ListNodesAnswer = TypedDict(
    "ListNodesAnswer",
    {
        "nodes": List["NodeStatus"],
    },
)

CreateScheduleBody = TypedDict(
    "CreateScheduleBody",
    {
        "scenario": "Scenario",
        "seed": str,
    },
)

_CreateRunBodyRequired = TypedDict(
    "_CreateRunBodyRequired",
    {
        "id": str,
        "scenario": "Scenario",
    },
)

_CreateRunBodyOptional = TypedDict(
    "_CreateRunBodyOptional",
    {
        "seed": str,
    },
    total=False,
)

class CreateRunBody(_CreateRunBodyRequired, _CreateRunBodyOptional):
    pass



class Rest:
    """Every route of the coordinator, as a method of the route's name."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def health(
        self,
    ) -> Any:
        """Name, version and role of the daemon."""
        answer: Any = self._transport.json(
            "GET",
            "/v1/health",
            {},
            {},
        )
        return answer

    def openapi(
        self,
    ) -> Any:
        """This API as OpenAPI 3.1."""
        answer: Any = self._transport.json(
            "GET",
            "/openapi.json",
            {},
            {},
        )
        return answer

    def metrics(
        self,
    ) -> str:
        """Prometheus metrics."""
        answer: str = self._transport.text(
            "GET",
            "/metrics",
            {},
            {},
        )
        return answer

    def events(
        self,
        *,
        fault: Optional[str] = None,
        run: Optional[str] = None,
        after: Optional[str] = None,
    ) -> Iterator[Dict[str, Any]]:
        """Events as they happen (server-sent events), resumable by Last-Event-ID."""
        answer: Iterator[Dict[str, Any]] = self._transport.events(
            "GET",
            "/v1/events",
            {},
            {"fault": fault, "run": run, "after": after},
        )
        return answer

    def heal(
        self,
        *,
        wait: Optional[str] = None,
    ) -> Any:
        """Heals everything, cancels runs, schedules and armed faults, refuses new ones until resume."""
        answer: Any = self._transport.json(
            "POST",
            "/v1/heal",
            {},
            {"wait": wait},
        )
        return answer

    def get_fault(
        self,
        id: str,
    ) -> "FaultStatus":
        """One fault with every node, its receipt and who ended it."""
        answer: "FaultStatus" = self._transport.json(
            "GET",
            "/v1/faults/{id}",
            {"id": id},
            {},
        )
        return answer

    def heal_fault(
        self,
        id: str,
        *,
        wait: Optional[str] = None,
    ) -> "FaultStatus":
        """Heals a fault; its record is kept."""
        answer: "FaultStatus" = self._transport.json(
            "DELETE",
            "/v1/faults/{id}",
            {"id": id},
            {"wait": wait},
        )
        return answer

    def create_fault(
        self,
        body: "FaultRequest",
        *,
        dry_run: Optional[Literal["true", "false"]] = None,
        wait: Optional[str] = None,
    ) -> "FaultStatus":
        """Creates a fault: arms it on every acting node, then fires at one instant."""
        answer: "FaultStatus" = self._transport.json(
            "POST",
            "/v1/faults",
            {},
            {"dryRun": dry_run, "wait": wait},
            body,
        )
        return answer

    def list_faults(
        self,
        *,
        state: Optional[str] = None,
        run: Optional[str] = None,
    ) -> ListFaultsAnswer:
        """Faults, newest first."""
        answer: ListFaultsAnswer = self._transport.json(
            "GET",
            "/v1/faults",
            {},
            {"state": state, "run": run},
        )
        return answer

    def list_nodes(
        self,
    ) -> ListNodesAnswer:
        """Nodes with their links, clocks and capabilities."""
        answer: ListNodesAnswer = self._transport.json(
            "GET",
            "/v1/nodes",
            {},
            {},
        )
        return answer

    def cluster(
        self,
    ) -> Any:
        """The live view of the Kafka cluster: leaders, ISR, controllers."""
        answer: Any = self._transport.json(
            "GET",
            "/v1/cluster",
            {},
            {},
        )
        return answer

    def list_kinds(
        self,
    ) -> Any:
        """Fault kinds with their parameters (JSON Schema), examples and needs."""
        answer: Any = self._transport.json(
            "GET",
            "/v1/kinds",
            {},
            {},
        )
        return answer

    def create_schedule(
        self,
        body: CreateScheduleBody,
    ) -> Any:
        """Draws a schedule from a scenario and a seed; executes nothing."""
        answer: Any = self._transport.json(
            "POST",
            "/v1/schedules",
            {},
            {},
            body,
        )
        return answer

    def create_run(
        self,
        body: CreateRunBody,
    ) -> Any:
        """Draws a schedule and executes it with its workload, to a verdict."""
        answer: Any = self._transport.json(
            "POST",
            "/v1/runs",
            {},
            {},
            body,
        )
        return answer

    def list_runs(
        self,
    ) -> Any:
        """Runs, newest first."""
        answer: Any = self._transport.json(
            "GET",
            "/v1/runs",
            {},
            {},
        )
        return answer

    def get_run(
        self,
        id: str,
    ) -> Any:
        """One run: phase, progress, faults, verdict."""
        answer: Any = self._transport.json(
            "GET",
            "/v1/runs/{id}",
            {"id": id},
            {},
        )
        return answer

    def run_timeline(
        self,
        id: str,
    ) -> Iterator[Dict[str, Any]]:
        """What happened when: phases, faults, leadership, ISR, throughput (JSON lines)."""
        answer: Iterator[Dict[str, Any]] = self._transport.lines(
            "GET",
            "/v1/runs/{id}/timeline",
            {"id": id},
            {},
        )
        return answer

    def run_history(
        self,
        id: str,
    ) -> Iterator[Dict[str, Any]]:
        """The history of operations, faults among them (JSON lines)."""
        answer: Iterator[Dict[str, Any]] = self._transport.lines(
            "GET",
            "/v1/runs/{id}/history",
            {"id": id},
            {},
        )
        return answer

    def cancel_run(
        self,
        id: str,
    ) -> Any:
        """Ends a run early; everything it did heals."""
        answer: Any = self._transport.json(
            "POST",
            "/v1/runs/{id}/cancel",
            {"id": id},
            {},
        )
        return answer

    def resume(
        self,
    ) -> Any:
        """Allows new faults again after POST /v1/heal."""
        answer: Any = self._transport.json(
            "POST",
            "/v1/resume",
            {},
            {},
        )
        return answer
