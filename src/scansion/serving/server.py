"""The process: a socket, uvicorn on it, models loaded beside it, and an orderly end.

What uvicorn is, stands in this file alone.
"""

import asyncio
import resource
import socket
import sys
from collections.abc import Callable, Collection
from types import FrameType
from typing import TYPE_CHECKING, Any

from scansion.errors import MissingExtraError, ScansionError, StorageError
from scansion.server_limits import Limits
from scansion.serving.application import NEEDS, application, door
from scansion.serving.door import Door, WrittenRefusal
from scansion.serving.flat_memory import giving_back, keep_few_kernels
from scansion.serving.hosts import answering_to, hosts_of
from scansion.serving.service import Service, log

if TYPE_CHECKING:
    from uvicorn import Server

BACKLOG = 2_048
KEEP_ALIVE_SECONDS = 75
OTHER_FILES = 256
SWITCH_SECONDS = 0.0002
"""How long a thread that reads may keep the interpreter from the one that answers, and the other way round: twenty-five
times less than Python's own, which a short answer would wait for at every step."""


def listening(host: str, port: int) -> socket.socket:
    """A socket that waits for clients; port 0 takes a free one. StorageError where there can be none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only where the protocol is named
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        found.close()
        reason = getattr(error, "strerror", None) or error
        sentence = f"{host}:{port} cannot be listened on: {reason}. Choose another --port or --host."
        raise StorageError(sentence) from error
    return found


def run(service: Service, listener: socket.socket, allowed_hosts: Collection[str] = ()) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way; a second signal ends at once.

    ``allowed_hosts`` are names that it answers to beside its own: see :mod:`scansion.serving.hosts`.
    ScansionError if a model cannot be loaded, MissingExtraError without starlette and uvicorn.
    """
    try:
        import httptools  # noqa: F401
        from uvicorn import Config, Server
    except ImportError as error:
        raise MissingExtraError(NEEDS) from error

    keep_few_kernels()
    limits = service.limits
    host, port = listener.getsockname()[:2]
    hosts = hosts_of(host, allowed_hosts)
    entrance = door(service, hosts)
    server = Server(Config(
        entrance.before(answering_to(hosts, application(service))), http=guarded_protocol(limits, entrance), ws="none",
        lifespan="off", log_config=None, log_level="critical", access_log=False, server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS, timeout_graceful_shutdown=1,
    ))
    _allow_files(limits.connections + OTHER_FILES)
    failed: list[ScansionError] = []

    async def serving() -> None:
        loading = asyncio.create_task(_begin(service, server, failed, f"http://{host}:{port}"))
        setattr(server, "handle_exit", _drains(service, server, asyncio.get_running_loop()))  # noqa: B010
        trimming = asyncio.create_task(giving_back())
        await server.serve([listener])
        loading.cancel()
        trimming.cancel()
        await service.stop()

    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        asyncio.run(serving())
    finally:
        sys.setswitchinterval(before)
    if failed:
        raise failed[0]


def _allow_files(number: int) -> None:
    """As many open files as that, or as the system allows: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _begin(service: Service, server: "Server", failed: list[ScansionError], place: str) -> None:
    log(f"{place}: loading {', '.join(service.paths)}")
    try:
        await service.start()
    except ScansionError as error:
        failed.append(error)
        server.should_exit = True
    else:
        log(f"{place}: ready")


def _drains(
    service: Service, server: "Server", loop: asyncio.AbstractEventLoop
) -> Callable[[int, FrameType | None], None]:
    """What a signal does: the first finishes what is under way, while the rest is refused; the second does not wait."""
    draining: list[Any] = []

    async def drain() -> None:
        log("shutting down: what was admitted is answered first")
        await service.drained()
        server.should_exit = True

    def begin() -> None:
        draining.append(asyncio.ensure_future(drain()))

    def heard(number: int, frame: FrameType | None) -> None:
        if draining:
            server.should_exit = server.force_exit = True
        else:
            loop.call_soon_threadsafe(begin)

    return heard


def guarded_protocol(limits: Limits, door: Door) -> type[asyncio.Protocol]:
    """uvicorn's protocol, which closes a connection whose next request does not come in time, or that is too many.

    uvicorn bounds how long a connection may be idle, not how long a head may take.  What the door refuses is answered
    once its body is over, where the next request begins; a body that is too long ends the connection.
    """
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Guarded(HttpToolsProtocol):
        timer: asyncio.TimerHandle | None = None
        refusal: WrittenRefusal | None = None
        refused_bytes, refused = 0, False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.abort()
            self._expect()

        def connection_lost(self, exc: Exception | None) -> None:
            self._relax()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.refused:  # and the next request has not begun
                self.refused = False
            elif self.cycle is not None and not self.cycle.response_complete:
                self._relax()
            elif self.timer is None:
                self._expect()

        def on_headers_complete(self) -> None:
            if not self.expect_100_continue and (self.cycle is None or self.cycle.response_complete):
                self.refusal = door.refusal(self.parser.get_method(), self.url, self.headers)
            if self.refusal is None:
                super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            if self.refusal is None:
                return super().on_body(body)
            self.refused_bytes += len(body)
            if self.refused_bytes > limits.body_bytes:
                self.transport.close()

        def on_message_complete(self) -> None:
            if self.refusal is None:
                return super().on_message_complete()
            if not self.transport.is_closing():
                self.transport.write(self.refusal.whole)
                if not self.parser.should_keep_alive():
                    self.transport.close()
            self.refusal, self.refused_bytes, self.refused = None, 0, True
            self._relax()
            self.on_response_complete()

        def _expect(self) -> None:
            self.timer = self.loop.call_later(limits.client_seconds, self._late)

        def _relax(self) -> None:
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None

        def _late(self) -> None:
            self.timer = None
            if self.cycle is None or self.cycle.response_complete:
                self.transport.close()

    return Guarded
