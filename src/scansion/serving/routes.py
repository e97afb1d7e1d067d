"""A route as a value: what a dialect declares, the application answers and the OpenAPI document lists."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from json import dumps
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from scansion.errors import UnsafeFolderError
from scansion.serving.refusals import BAD_REQUEST, RefusalError, unprocessable
from scansion.serving.schemas import ANYTHING, TEXT, Schema, record
from scansion.storage.strict_json import parse_json

if TYPE_CHECKING:
    from scansion.serving.service import Service

JSON, HTML, PLAIN, EVENTS, BYTES = (
    "application/json", "text/html", "text/plain", "text/event-stream", "application/octet-stream"
)
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 100
ERROR = record({"error": TEXT})


@dataclass(frozen=True)
class Call:
    """A request: what its path and query name, its headers in small letters, and its body."""

    path: Mapping[str, str]
    query: str
    headers: Mapping[str, str]
    raw: bytes = b""
    body: Any = None
    """What the route has read of it, checked."""

    @property
    def media(self) -> str:
        """The body's, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Reply:
    """An answer: its body as bytes, or as they come."""

    body: bytes | AsyncIterator[bytes]
    status: int = 200
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def json_bytes(value: Any) -> bytes:
    """A value as JSON on one line; numbers that are not finite are refused as such."""
    return dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def reply(value: Any, status: int = 200) -> Reply:
    """An answer in JSON."""
    return Reply(json_bytes(value), status)


def json_body(call: Call) -> Any:
    """The value in a body of JSON; RefusalError (400) for anything else."""
    try:
        return parse_json(call.raw, "the body")
    except UnsafeFolderError as error:
        raise RefusalError(BAD_REQUEST, str(error)) from error


def fields_or_json(call: Call) -> Any:
    """An object of JSON or, as forms and some clients send it, the fields of the body and of the query."""
    if call.media == JSON or (call.raw and call.media != FORM):
        return json_body(call)
    try:
        pairs = [
            *parse_qsl(call.query, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"),
            *parse_qsl(call.raw.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"),
        ]
    except ValueError as error:  # UnicodeDecodeError too
        raise RefusalError(BAD_REQUEST, f"the fields cannot be read: {error}.") from error
    if len(dict(pairs)) < len(pairs):
        raise unprocessable("the fields: one stands there twice. Send several texts as JSON.")
    return dict(pairs)


def plain_problem(status: int, sentence: str) -> dict[str, Any]:
    """What a refusal looks like where a dialect does not say otherwise."""
    return {"error": sentence}


RouteAnswer = Callable[["Service", Call], Awaitable[Reply]]


@dataclass(frozen=True, eq=False)
class Route:
    """One method on one path of one dialect."""

    method: str
    path: str
    """With the names of its parts in braces."""
    about: str
    answer: RouteAnswer
    takes: Schema | None = None
    """The body; None for none."""
    gives: Schema = field(default_factory=lambda: ANYTHING)
    media: tuple[str, ...] = (JSON,)
    """What an answer can be."""
    reads: Callable[[Call], Any] = json_body
    accepts: tuple[str, ...] = (JSON,)
    """What a body can be."""
    problem: Callable[[int, str], dict[str, Any]] = plain_problem
    error: Schema = field(default_factory=lambda: ERROR)
    """What ``problem`` makes."""
    mark: str = ""
    """A key of the body by which it is told from another route of the same path."""
    works: bool = True
    """Whether a model is asked, so that it may have to be refused for want of one or of time."""
    secret: bool = True
    """Whether the key is asked for, where there is one."""
    parameters: tuple[str, ...] = ()
    """Of the query."""
