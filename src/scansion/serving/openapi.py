"""The OpenAPI 3.1 document of the routes; https://spec.openapis.org/oas/v3.1.0."""

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from scansion.serving.refusals import (
    BAD_REQUEST,
    BROKEN,
    NOT_ALLOWED,
    NOT_FOUND,
    TIMED_OUT,
    TOO_LARGE,
    TOO_MANY,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNPROCESSABLE,
)
from scansion.serving.routes import JSON, Route

REFUSALS = {
    BAD_REQUEST: "The request cannot be read.",
    UNAUTHORIZED: "The key is missing or is another one.",
    NOT_FOUND: "There is no model of that name.",
    NOT_ALLOWED: "There is another method on this path.",
    TIMED_OUT: "The body did not come in time.",
    TOO_LARGE: "The body is too large.",
    UNPROCESSABLE: "The request was read and cannot be done; the sentence says why.",
    TOO_MANY: "The queue is full; Retry-After says when to come back.",
    BROKEN: "Something broke.",
    UNAVAILABLE: "Models are being loaded, or the server ends.",
}
OF_BODIES = {BAD_REQUEST, TIMED_OUT, TOO_LARGE, UNPROCESSABLE}
OF_WORK = {BAD_REQUEST, NOT_FOUND, UNPROCESSABLE, TOO_MANY, UNAVAILABLE}


def document(routes: Sequence[Sequence[Route]]) -> dict[str, Any]:
    """The whole document; routes of one method on one path stand together."""
    paths: dict[str, dict[str, Any]] = {}
    for together in routes:
        first = together[0]
        paths.setdefault(first.path, {})[first.method.lower()] = _operation(together)
    return {
        "openapi": "3.1.0",
        "info": {"title": "scansion", "version": version("scansion"),
                 "description": "Fitted models of text behind HTTP, in several dialects."},
        "paths": paths,
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(together: Sequence[Route]) -> dict[str, Any]:
    first = together[0]
    found: dict[str, Any] = {
        "summary": " ".join(dict.fromkeys(route.about for route in together)),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", first.path)
        ],
        "responses": _responses(together),
    }
    takes = [route.takes for route in together if route.takes is not None]
    if takes:
        content = {media: {"schema": _any(takes)} for media in first.accepts if media in (JSON,)}
        found["requestBody"] = {"required": not first.parameters, "content": content}
    if first.secret:
        found["security"] = [{}, {"key": []}]
    return found


def _responses(together: Sequence[Route]) -> dict[str, Any]:
    first = together[0]
    good = {media: {"schema": _any([route.gives for route in together])} if media == JSON else {}
            for media in first.media}
    found: dict[str, Any] = {"200": {"description": "The answer.", "content": good}}
    statuses = {BROKEN, NOT_ALLOWED} | ({UNAUTHORIZED} if first.secret else set())
    statuses |= (OF_BODIES if first.takes is not None else set()) | (OF_WORK if first.works else set())
    for status in sorted(statuses):
        error = {"schema": _any([route.error for route in together])}
        found[str(status)] = {"description": REFUSALS[status], "content": {JSON: error}}
    return found


def _any(schemas: Sequence[Any]) -> Any:
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
