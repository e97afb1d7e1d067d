"""Where there is no room: what a request is answered with as soon as its head is there.

Under overload most of what comes is refused, and what that costs is taken from what is answered.  So the answer is
written out here, as bytes, and neither a task nor an application sees the request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from scansion.serving.hosts import is_meant
from scansion.serving.refusals import RefusalError
from scansion.serving.routes import JSON, Route, json_bytes
from scansion.serving.service import Service

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Door:
    """``routes``: what is refused here, by the target of the request as it is sent."""

    service: Service
    routes: Mapping[bytes, Route]
    hosts: frozenset[str] | None
    """The names that the server answers to; None for any."""
    always: Mapping[str, str]
    """Headers of every answer."""

    def refusal(self, method: bytes, target: bytes, headers: Headers) -> bytes | None:
        """The whole answer; None for a request that has to be looked at."""
        route = self.routes.get(target)
        if route is None or method != b"POST" or not self.service.is_full or not is_meant(headers, self.hosts):
            return None
        try:
            self.service.check_room()
        except RefusalError as refusal:
            body = json_bytes(route.problem(refusal.status, str(refusal)))
            self.service.metrics.requests.add(route.path, route.method, str(refusal.status))
            head = {
                **self.always, "content-type": JSON, "content-length": len(body), "retry-after": refusal.retry_after,
            }
            lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
            lines += [f"{name.lower()}: {value}" for name, value in head.items()]
            return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        return None
