"""Where there is no room: what a request is answered with as soon as its head is there.

Under overload most of what comes is refused, and what that costs is taken from what is answered.  So an answer is
written out once, as bytes, and neither a task nor an application sees the request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from scansion.serving.hosts import is_meant
from scansion.serving.refusals import RefusalError
from scansion.serving.routes import JSON, Route, json_bytes
from scansion.serving.service import Service

MOST_WRITTEN = 1_000


@dataclass(frozen=True)
class Door:
    """``routes``: what is refused here, by the target of the request as it is sent."""

    service: Service
    routes: Mapping[bytes, Route]
    hosts: frozenset[str] | None
    """The names that the server answers to; None for any."""
    always: Mapping[str, str]
    """Headers of every answer."""
    written: dict[tuple[bytes, str], bytes] = field(default_factory=dict)
    """By what was asked and by the sentence."""

    def refusal(self, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        """The whole answer; None for a request that has to be looked at."""
        route, refusal = self.routes.get(target), self.service.refusal()
        if route is None or refusal is None or method != b"POST" or not is_meant(headers, self.hosts):
            return None
        self.service.metrics.requests.add(route.path, route.method, str(refusal.status))
        key = target, str(refusal)
        if key not in self.written:
            if len(self.written) >= MOST_WRITTEN:
                self.written.clear()
            self.written[key] = self._answer(route, refusal)
        return self.written[key]

    def _answer(self, route: Route, refusal: RefusalError) -> bytes:
        body = json_bytes(route.problem(refusal.status, str(refusal)))
        head = {**self.always, "content-type": JSON, "content-length": len(body), "retry-after": refusal.retry_after}
        lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
        lines += [f"{name.lower()}: {value}" for name, value in head.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
