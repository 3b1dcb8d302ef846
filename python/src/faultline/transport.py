"""HTTP with JSON, on the standard library."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Dict, Iterator, List, Mapping, Optional

from .errors import ApiError, Unreachable

#: A daemon that restarts is back within this many seconds; every route may be asked again.
PATIENCE = 5.0


class Transport:
    """Requests to one daemon. Every route is idempotent, so what got no answer is asked again."""

    def __init__(
        self,
        url: str,
        token: Optional[str] = None,
        *,
        timeout: float = 30.0,
        tls: Optional[ssl.SSLContext] = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._token = token
        handlers: List[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=tls))
        self._opener = urllib.request.build_opener(*handlers)

    def json(
        self,
        method: str,
        path: str,
        inside: Mapping[str, str],
        query: Mapping[str, Optional[str]],
        body: Any = None,
    ) -> Any:
        with self._open(method, path, inside, query, body) as response:
            text = response.read()
        return json.loads(text) if text else None

    def text(
        self, method: str, path: str, inside: Mapping[str, str], query: Mapping[str, Optional[str]]
    ) -> str:
        with self._open(method, path, inside, query) as response:
            return str(response.read().decode("utf-8"))

    def lines(
        self, method: str, path: str, inside: Mapping[str, str], query: Mapping[str, Optional[str]]
    ) -> Iterator[Dict[str, Any]]:
        with self._open(method, path, inside, query) as response:
            for line in response:
                if line.strip():
                    yield json.loads(line)

    def events(
        self, method: str, path: str, inside: Mapping[str, str], query: Mapping[str, Optional[str]]
    ) -> Iterator[Dict[str, Any]]:
        """Server-sent events, each the JSON object of its data; the stream does not end."""
        with self._open(method, path, inside, query) as response:
            for line in response:
                if line.startswith(b"data:"):
                    yield json.loads(line[len(b"data:") :])

    def _open(
        self,
        method: str,
        path: str,
        inside: Mapping[str, str],
        query: Mapping[str, Optional[str]],
        body: Any = None,
    ) -> Any:
        for name, value in inside.items():
            path = path.replace("{%s}" % name, urllib.parse.quote(value, safe=""))
        asked = {name: value for name, value in query.items() if value is not None}
        url = self.url + path + ("?" + urllib.parse.urlencode(asked) if asked else "")
        data = None if body is None else json.dumps(body, default=node_name).encode("utf-8")
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Accept", "*/*")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self._token is not None:
            request.add_header("Authorization", "Bearer " + self._token)
        return self._send(request)

    def _send(self, request: urllib.request.Request) -> Any:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self._opener.open(request, timeout=self.timeout)
            except urllib.error.HTTPError as error:
                with error:
                    raise ApiError(error.code, _details(error.read())) from None
            except OSError as error:
                if time.monotonic() > until:
                    says = "%s does not answer: %s" % (self.url, error)
                    raise Unreachable(says) from error
                time.sleep(0.1)


def _details(body: bytes) -> Dict[str, Any]:
    try:
        details = json.loads(body)
    except ValueError:
        details = None
    if isinstance(details, dict):
        return details
    return {"detail": body[:500].decode("utf-8", "replace") or "no reason was given"}


def node_name(node: Any) -> str:
    """The name of a node that was given as an object: of ducktape, or anything with a name."""
    account = getattr(node, "account", None)
    if account is not None:
        return account_name(account)
    name = getattr(node, "name", None)
    if isinstance(name, str):
        return name
    raise TypeError("neither JSON nor a node: %r" % (node,))


def account_name(account: Any) -> str:
    """What a ducktape account is called in a cluster.yaml: its host, as ssh knows it."""
    config = getattr(account, "ssh_config", None)
    return str(getattr(config, "host", None) or account.hostname)
