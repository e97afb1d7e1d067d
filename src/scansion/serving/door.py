"""Where there is no room: what a request is answered with as soon as its head is there.

Under overload most of what comes is refused, and what that costs is taken from what is answered.  So an answer is
written out once, as bytes, and as a rule neither a task nor an application sees the request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from scansion.serving.hosts import is_meant
from scansion.serving.refusals import RefusalError
from scansion.serving.routes import JSON, Route, json_bytes
from scansion.serving.service import Service

if TYPE_CHECKING:
    from starlette.types import ASGIApp

MOST_WRITTEN = 1_000

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class WrittenRefusal:
    """An answer that says why there is none."""

    status: int
    headers: Headers
    body: bytes

    @cached_property
    def whole(self) -> bytes:
        """As it goes over the wire."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}".encode()]
        lines += [name + b": " + value for name, value in self.headers]
        return b"\r\n".join([*lines, b"", self.body])


@dataclass(frozen=True)
class Door:
    """``routes``: what is refused here, by the target of the request as it is sent."""

    service: Service
    routes: Mapping[bytes, Route]
    hosts: frozenset[str] | None
    """The names that the server answers to; None for any."""
    always: Mapping[str, str]
    """Headers of every answer."""
    written: dict[tuple[bytes, str], WrittenRefusal] = field(default_factory=dict)
    """By what was asked and by the sentence."""

    def refusal(self, method: bytes, target: bytes, headers: Headers) -> WrittenRefusal | None:
        """None for a request that has to be looked at."""
        route, refusal = self.routes.get(target), self.service.refusal()
        if route is None or refusal is None or method != b"POST" or not is_meant(headers, self.hosts):
            return None
        self.service.metrics.requests.add(route.path, route.method, str(refusal.status))
        key = target, str(refusal)
        if key not in self.written:
            if len(self.written) >= MOST_WRITTEN:
                self.written.clear()
            self.written[key] = self._written(route, refusal)
        return self.written[key]

    def before(self, inner: "ASGIApp") -> "ASGIApp":
        """An application that looks once more when a request's turn comes.

        All those whose heads came at the same moment found room; the first of them may have filled it.
        """
        async def looking(scope: Any, receive: Any, send: Any) -> None:
            found = None
            if scope["type"] == "http":
                found = self.refusal(scope["method"].encode(), scope["raw_path"], scope["headers"])
            if found is None:
                await inner(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": found.status, "headers": found.headers})
            await send({"type": "http.response.body", "body": found.body})

        return looking

    def _written(self, route: Route, refusal: RefusalError) -> WrittenRefusal:
        body = json_bytes(route.problem(refusal.status, str(refusal)))
        head = {**self.always, "content-type": JSON, "content-length": len(body), "retry-after": refusal.retry_after}
        pairs = [(name.lower().encode(), str(value).encode()) for name, value in head.items()]
        return WrittenRefusal(refusal.status, pairs, body)
