"""The routes as an ASGI application: bodies are bounded and checked, refusals told, clients that leave noticed.

What starlette is, stands in this file alone.
"""

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scansion.errors import MissingExtraError, ScansionError, UsageError, did_you_mean
from scansion.serving.door import Door
from scansion.serving.health import ROUTES as HEALTH
from scansion.serving.libretranslate import ROUTES as LIBRETRANSLATE
from scansion.serving.open_inference import ROUTES as OPEN_INFERENCE
from scansion.serving.openai import ROUTES as OPENAI
from scansion.serving.openapi import document
from scansion.serving.plain import ROUTES as PLAIN
from scansion.serving.refusals import (
    BAD_REQUEST,
    BROKEN,
    NOT_ALLOWED,
    NOT_FOUND,
    TIMED_OUT,
    TOO_LARGE,
    UNAUTHORIZED,
    UNPROCESSABLE,
    RefusalError,
    unprocessable,
)
from scansion.serving.routes import Call, Reply, Route, plain_problem, reply
from scansion.serving.schemas import ANYTHING, check
from scansion.serving.service import Service, log
from scansion.serving.text_embeddings import ROUTES as TEXT_EMBEDDINGS

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

DIALECTS = (PLAIN, TEXT_EMBEDDINGS, OPEN_INFERENCE, OPENAI, LIBRETRANSLATE, HEALTH)
NEEDS = "A server needs starlette, uvicorn and httptools: pip install 'scansion[serve]'."
UNKNOWN = "unknown"
KEY = "api_key"
"""Of a body, in the dialects that have it there."""
LEFT = 499
"""As nginx counts a client that has left before its answer; nobody is told."""
SAFE = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def grouped() -> list[tuple[Route, ...]]:
    """The routes of all dialects; those of one method on one path stand together."""
    found: dict[tuple[str, str], list[Route]] = {}
    for dialect in DIALECTS:
        for route in dialect:
            found.setdefault((route.method, route.path), []).append(route)
    routes = [tuple(routes) for routes in found.values()]

    async def openapi(service: Service, call: Call) -> Reply:
        """The OpenAPI document."""
        return reply(document(routes))

    own = Route("GET", "/openapi.json", "This document.", openapi, gives=ANYTHING, works=False, secret=False)
    routes.append((own,))
    return routes


def door(service: Service, hosts: frozenset[str] | None) -> Door:
    """What refuses requests for want of room before the application of the service sees them."""
    posted = [together[0] for together in grouped() if together[0].method == "POST"]
    return Door(service, {route.path.encode(): route for route in posted}, hosts, SAFE)


def application(service: Service) -> "Starlette":
    """The application of a service, which has to be started beside it. MissingExtraError without starlette."""
    routes = grouped()
    try:
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.responses import Response
        from starlette.routing import Route as StarletteRoute
    except ImportError as error:
        raise MissingExtraError(NEEDS) from error

    methods: dict[str, list[str]] = {}
    for together in routes:
        methods.setdefault(together[0].path, []).append(together[0].method)

    def told(problem: Any, status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
        answer = reply(problem(status, sentence), status)
        return Response(answer.body, status, {**SAFE, **(headers or {})}, answer.media)

    async def nothing_there(request: "Request", error: Exception) -> Response:
        allowed = next((found for path, found in methods.items() if path == request.url.path), None)
        status = getattr(error, "status_code", NOT_FOUND)
        service.metrics.requests.add(UNKNOWN, _method(request), str(status))
        if status == NOT_ALLOWED:
            headers = dict(getattr(error, "headers", None) or {})
            return told(plain_problem, status, f"This path takes {headers.get('Allow', allowed)}.", headers)
        return told(plain_problem, NOT_FOUND, "There is nothing on this path. GET /docs lists what there is.")

    paths = [
        StarletteRoute(path, _endpoint(service, {
            together[0].method: together for together in routes if together[0].path == path
        }), methods=every)
        for path, every in methods.items()
    ]
    found = Starlette(routes=paths, exception_handlers={HTTPException: nothing_there})
    found.router.redirect_slashes = False
    return found


def _method(request: "Request") -> str:
    return request.method if request.method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH") else "other"


def _endpoint(service: Service, by_method: dict[str, tuple[Route, ...]]) -> Any:
    from starlette.responses import Response, StreamingResponse

    class Streamed(StreamingResponse):
        """Told of at its end, however it ends."""

        def __init__(self, answer: Reply, headers: dict[str, str], done: Callable[[], None]) -> None:
            super().__init__(answer.body, answer.status, headers, answer.media)  # type: ignore[arg-type]
            self.done = done

        async def __call__(self, *given: Any) -> None:
            try:
                await super().__call__(*given)
            finally:
                self.done()

    async def endpoint(request: "Request") -> "Response":
        together = by_method["GET" if request.method == "HEAD" else request.method]
        begun, status, streaming = time.perf_counter(), BROKEN, False
        service.busy += 1

        def done() -> None:
            service.busy -= 1
            service.metrics.requests.add(together[0].path, _method(request), str(status))
            service.metrics.seconds.observe(time.perf_counter() - begun, together[0].path)

        try:
            answer = await _answered(service, together, request)
            status, headers = answer.status, {**SAFE, **answer.headers}
            streaming = not isinstance(answer.body, bytes)
            if streaming:
                return Streamed(answer, headers, done)
            return Response(answer.body, status, headers, answer.media)
        finally:
            if not streaming:
                done()

    return endpoint


async def _answered(service: Service, together: Sequence[Route], request: "Request") -> Reply:
    """The answer of the route that is meant, or what it is refused with."""
    from starlette.requests import ClientDisconnect

    route = together[0]
    headers: dict[str, str] = {}
    try:
        key = _key(request.headers.get("authorization", ""))
        in_body = KEY in (route.takes or {}).get("properties", {}) and key is None
        _check_key(service, route, key, in_body)  # before anything is read, if it can be
        if route.works and route.secret:
            service.check_ready()
        call = await _read(service, request, route)
        body = None if route.takes is None else _body(route, call)
        route = route if len(together) == 1 else _chosen(together, body)
        if route.takes is not None:
            check(body, route.takes)
            call = replace(call, body=body)
        if in_body:
            _check_key(service, route, call.body.get(KEY))
        return await _while_there(request, route.answer(service, call))
    except RefusalError as refusal:
        status, sentence = refusal.status, str(refusal)
        if refusal.retry_after is not None:
            headers["Retry-After"] = str(refusal.retry_after)
        if status == UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
    except ScansionError as error:
        status, sentence = UNPROCESSABLE, str(error)
    except (ClientDisconnect, _LeftError):
        service.metrics.left.add(route.path)
        status, sentence = LEFT, "The client has left."
    except Exception as error:  # whatever it was, the next request is answered
        where = traceback.extract_tb(error.__traceback__)[-1]
        log(f"{route.path}: {type(error).__name__} in {where.name}, line {where.lineno} of {where.filename}")
        status, sentence = BROKEN, f"{type(error).__name__}. This is a bug in scansion; its log says where."
    answer = reply(route.problem(status, sentence), status)
    return Reply(answer.body, status, answer.media, headers)


async def _read(service: Service, request: "Request", route: Route) -> Call:
    """The request with its body, which comes in time and is not too large."""
    limits, parts, size = service.limits, [], 0
    headers = {name.lower(): value for name, value in request.headers.items()}
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limits.body_bytes:
        raise _too_large(limits.body_bytes)
    try:
        async with asyncio.timeout(limits.client_seconds):
            async for part in request.stream():
                size += len(part)
                if size > limits.body_bytes:
                    raise _too_large(limits.body_bytes)
                parts.append(part)
    except TimeoutError as error:
        raise RefusalError(TIMED_OUT, f"The body did not come within {limits.client_seconds:g} s.") from error
    return Call(dict(request.path_params), request.url.query, headers, b"".join(parts))


def _too_large(most: int) -> RefusalError:
    return RefusalError(TOO_LARGE, f"The body is too large: {most:,} bytes are read. Send fewer texts at a time.")


def _chosen(together: Sequence[Route], body: Any) -> Route:
    """The route whose mark stands in the body."""
    for route in together:
        if isinstance(body, dict) and route.mark in body:
            return route
    marks = [route.mark for route in together]
    given = next(iter(body), "") if isinstance(body, dict) else ""
    raise unprocessable(f"the body: expected an object with {' or '.join(map(repr, marks))}"
                        f"{did_you_mean(given, marks) if given else '.'}")


def _body(route: Route, call: Call) -> Any:
    if not call.raw and not call.query:
        raise RefusalError(BAD_REQUEST, "The request has no body.")
    return route.reads(call)


def _key(authorization: str) -> str | None:
    scheme, _, given = authorization.partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def _check_key(service: Service, route: Route, key: str | None, later: bool = False) -> None:
    if route.secret and not later and not service.may_enter(key):
        raise RefusalError(UNAUTHORIZED, "The key is missing or is another one. Send it as Authorization: Bearer KEY.")


class _LeftError(Exception):
    """The client has closed its side while its request was under way."""


async def _while_there(request: "Request", work: Any) -> Reply:
    """What the work comes to; it ends when the client leaves.

    The work is done in this very task, so that nothing else happens between the look whether there is room and the
    admission: else all who arrive together would find room, be read, and only then be refused.
    """
    working, left = asyncio.current_task(), False

    async def wait_for_the_end() -> None:
        nonlocal left
        while (await request.receive())["type"] != "http.disconnect":  # after the body nothing else comes
            pass
        left = True
        working.cancel()  # type: ignore[union-attr]

    leaving = asyncio.ensure_future(wait_for_the_end())
    try:
        return await work
    except asyncio.CancelledError as error:
        if left:
            raise _LeftError from error
        raise
    finally:
        leaving.cancel()


def check_names(names: Sequence[str]) -> None:
    """UsageError for a name that could not stand in a path, or stands twice."""
    for name in names:
        if not name or len(name) > 100 or not all(each.isalnum() or each in "-_.:" for each in name):
            raise UsageError(f"{name!r} cannot be a model's name: give letters, digits, '-', '_', '.' and ':', "
                             "NAME=FOLDER.")
        if names.count(name) > 1:
            raise UsageError(f"Two models are called {name!r}. Name them: NAME=FOLDER.")
