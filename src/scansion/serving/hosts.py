"""Which names a server answers to.

A page from anywhere can have a browser ask a server on the same machine, under a name that its owner lets point there
(DNS rebinding); then the browser takes the server's answers for the page's own.  The name stands in the header
``Host``, so a server that listens on this machine alone answers only to this machine's names.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from scansion.serving.refusals import MISDIRECTED
from scansion.serving.routes import JSON, json_bytes, plain_problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = re.compile(r"(?:\[(?P<address>[^]]*)\]|(?P<name>[^:\[\]]*))(?::[0-9]*)?")
OWN = ("localhost", "127.0.0.1", "::1")


def hosts_of(address: str, allowed: Collection[str]) -> frozenset[str] | None:
    """The names that a server listening on an address answers to; None for any.

    Those of this machine, the address and those ``allowed``; any where it listens to others too and none is named.
    """
    named = frozenset(name.lower().strip("[]") for name in allowed)
    if not named and not ipaddress.ip_address(address).is_loopback:
        return None
    return named | {*OWN, address}


def answering_to(hosts: frozenset[str] | None, inner: "ASGIApp") -> "ASGIApp":
    """An application that refuses requests meant for another name, with 421; a request that names none is answered."""
    if hosts is None:
        return inner

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        headers = scope.get("headers", ())
        if is_meant(headers, hosts):
            await inner(scope, receive, send)
            return
        name = host_in(_host(headers))
        sentence = (
            f"This server answers to {', '.join(sorted(hosts))}, and the request is for {name!r}. To have it answer "
            "there too, start it with --allow-host NAME."
        )
        body = json_bytes(plain_problem(MISDIRECTED, sentence))
        head = [(b"content-type", JSON.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": MISDIRECTED, "headers": head})
        await send({"type": "http.response.body", "body": body})

    return checked


def is_meant(headers: Iterable[tuple[bytes, bytes]], hosts: frozenset[str] | None) -> bool:
    """Whether a request with these headers is for one of the names, or names none."""
    given = _host(headers)
    return hosts is None or not given or host_in(given) in hosts


def _host(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return next((value for name, value in headers if name == b"host"), b"").decode("latin-1")


def host_in(header: str) -> str:
    """The name in ``NAME``, ``NAME:PORT`` or ``[ADDRESS]:PORT``, in lower case and without a point at its end.

    Of anything else the whole, which is nobody's name.
    """
    found = HOST.fullmatch(header)
    name = header if found is None else found["address"] or found["name"] or ""
    return name.lower().removesuffix(".")
