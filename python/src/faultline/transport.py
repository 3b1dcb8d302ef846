"""HTTP with JSON, on the standard library."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional

from .errors import ApiError, Unreachable
from .fault import seconds

#: A daemon that restarts is back within this many seconds; every route may be asked again.
PATIENCE = 5.0

#: No daemon waits longer, whatever it is asked.
LONGEST_WAIT = 300.0

#: No answer, or not the whole of it.
BROKEN = (OSError, http.client.HTTPException)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody: a daemon sends no one elsewhere, and the token is for the daemon alone."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


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
        handlers: List[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _Stay()]
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
        text = self._ask(self._request(method, path, inside, query, body), query, _whole)
        return json.loads(text) if text else None

    def text(
        self, method: str, path: str, inside: Mapping[str, str], query: Mapping[str, Optional[str]]
    ) -> str:
        text = self._ask(self._request(method, path, inside, query), query, _whole)
        return str(text.decode("utf-8"))

    def lines(
        self, method: str, path: str, inside: Mapping[str, str], query: Mapping[str, Optional[str]]
    ) -> Iterator[Dict[str, Any]]:
        for line in self._stream(method, path, inside, query):
            if line.strip():
                yield json.loads(line)

    def events(
        self, method: str, path: str, inside: Mapping[str, str], query: Mapping[str, Optional[str]]
    ) -> Iterator[Dict[str, Any]]:
        """Server-sent events, each the JSON object of its data; the stream does not end."""
        for line in self._stream(method, path, inside, query):
            if line.startswith(b"data:"):
                yield json.loads(line[len(b"data:") :])

    def _stream(
        self, method: str, path: str, inside: Mapping[str, str], query: Mapping[str, Optional[str]]
    ) -> Iterator[bytes]:
        try:
            with self._ask(self._request(method, path, inside, query), query, _opened) as response:
                yield from response
        except BROKEN as error:
            raise self._unreachable(error) from error

    def _request(
        self,
        method: str,
        path: str,
        inside: Mapping[str, str],
        query: Mapping[str, Optional[str]],
        body: Any = None,
    ) -> urllib.request.Request:
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
        return request

    def _ask(
        self,
        request: urllib.request.Request,
        query: Mapping[str, Optional[str]],
        take: Callable[[Any], Any],
    ) -> Any:
        until = time.monotonic() + PATIENCE
        # The daemon waits as long as it was asked to, before it says anything.
        timeout = self.timeout + min(seconds(query.get("wait") or "0s"), LONGEST_WAIT)
        while True:
            try:
                return take(self._opener.open(request, timeout=timeout))
            except urllib.error.HTTPError as error:
                raise ApiError(error.code, _details(_said(error))) from None
            except BROKEN as error:
                if time.monotonic() > until:
                    raise self._unreachable(error) from error
                time.sleep(0.1)

    def _unreachable(self, error: BaseException) -> Unreachable:
        return Unreachable("%s does not answer: %s" % (self.url, error or type(error).__name__))


def _opened(response: Any) -> Any:
    return response


def _whole(response: Any) -> Any:
    with response:
        return response.read()


def _said(error: urllib.error.HTTPError) -> bytes:
    try:
        with error:
            return error.read()
    except BROKEN:
        # The refusal stands without its reason.
        return b""


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
