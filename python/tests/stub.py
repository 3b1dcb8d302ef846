"""A coordinator that only keeps faults in a dictionary, for tests of the client."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, Optional, Tuple

TOKEN = "secret"
ONCE = ("process.kill",)


class Stub:
    """``created`` and ``healed`` replace what a fault says of itself from then on."""

    def __init__(self) -> None:
        self.faults: Dict[str, Dict[str, Any]] = {}
        self.runs: Dict[str, Dict[str, Any]] = {}
        self.requests: List[Tuple[str, str, Any]] = []
        self.created: Dict[str, Any] = {}
        #: As ``created``, each for one fault, in turn.
        self.created_next: List[Dict[str, Any]] = []
        self.healed: Dict[str, Any] = {"state": "healed", "endedBy": "request"}
        self.refusal: Optional[Dict[str, Any]] = None
        self.hang_up = 0
        #: So many answers end in their middle.
        self.cut = 0
        #: Where every request is sent instead.
        self.elsewhere: Optional[str] = None
        #: How long what is asked to wait does.
        self.held = 0.0
        handler = type("Handler", (_Handler,), {"stub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = "http://127.0.0.1:%d" % self._server.server_address[1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def create(self, body: Dict[str, Any]) -> Tuple[int, Dict[str, Any]]:
        if self.refusal is not None:
            return int(self.refusal["status"]), self.refusal
        if body["kind"] in ONCE and "duration" in body:
            problem = {"path": "/duration", "message": "happens once: it takes no 'duration'"}
            return 422, {"title": "refused", "detail": "bad fault", "problems": [problem]}
        fault = {
            "id": body["id"],
            "kind": body["kind"],
            "request": body,
            "state": "active",
            "effect": "seen",
            "targets": ["n1"],
            "createdAt": "2026-01-01T00:00:00Z",
            "nodes": {
                "n1": {
                    "state": "active",
                    "problems": [],
                    "openUndos": [],
                    "receipt": {"effect": "seen", "says": "2 packets dropped", "notes": []},
                }
            },
            "problems": [],
        }
        if body["kind"] in ONCE:
            fault.update(state="healed", endedBy="deadline")
        fault.update(self.created_next.pop(0) if self.created_next else self.created)
        self.faults[body["id"]] = fault
        return 201, fault


class _Handler(BaseHTTPRequestHandler):
    stub: Stub

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        stub = self.stub
        if stub.hang_up > 0:
            stub.hang_up -= 1
            self.close_connection = True
            return
        if stub.elsewhere is not None:
            self.send_response(307)
            self.send_header("Location", stub.elsewhere + self.path)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        path, _, query = self.path.partition("?")
        stub.requests.append((self.command, path, body))
        if self.headers.get("Authorization") != "Bearer " + TOKEN:
            return self._answer(401, {"title": "unauthorized", "detail": "no such token"})
        asked = urllib.parse.parse_qs(query)
        if "wait" in asked:
            time.sleep(stub.held)
        self._answer(*self._route(path.split("/")[2:], asked, body))

    def _route(self, path: List[str], asked: Dict[str, List[str]], body: Any) -> Tuple[int, Any]:
        stub, what = self.stub, (self.command, path[0])
        if what == ("POST", "faults"):
            return stub.create(body)
        if what == ("GET", "faults") and len(path) == 1:
            states = asked.get("state", [""])[0].split(",")
            chosen = [f for f in stub.faults.values() if states == [""] or f["state"] in states]
            return 200, {"faults": chosen}
        if path[0] == "faults":
            fault = stub.faults.get(path[1])
            if fault is None:
                return 404, {"title": "not found", "detail": "no such fault"}
            if self.command == "DELETE" and fault["state"] == "active":
                fault.update(stub.healed)
            return 200, fault
        if what == ("POST", "runs") and len(path) == 1:
            stub.runs[body["id"]] = {**body, "phase": "faults", "skipped": []}
            return 201, stub.runs[body["id"]]
        if path[0] == "runs":
            if path[-1] == "cancel":
                stub.runs[path[1]].update(phase="done", outcome="cancelled")
            return 200, stub.runs[path[1]]
        if path[0] == "heal":
            for fault in stub.faults.values():
                fault.update(stub.healed)
        return 200, {"nodes": []} if path[0] == "nodes" else {}

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.stub.cut > 0:
            self.stub.cut -= 1
            self.close_connection = True
            text = text[: len(text) // 2]
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = do_PUT = _serve
