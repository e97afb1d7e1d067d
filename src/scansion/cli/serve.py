"""``scansion serve``: models behind HTTP."""

from pathlib import Path
from typing import Annotated, Any

import typer

from scansion.errors import UsageError

EXAMPLES = """Examples:
  scansion serve model                               on http://127.0.0.1:8000, which a browser can open
  scansion serve reviews=model en-de=translator      several models, by name
  curl localhost:8000/predict --json '{"texts": ["a quiet marvel"], "model": "reviews"}'
  SCANSION_API_KEY=... scansion serve model --host 0.0.0.0 --port 80

Clients of OpenAI (base URL http://127.0.0.1:8000/v1), of the Open Inference Protocol (KServe, Triton), of
LibreTranslate and of text-embeddings-inference work as they are; GET /docs lists all routes. A folder that is replaced
is loaded anew without a lost request. SIGTERM finishes what is under way. Every option is an environment variable, too.
"""
PREFIX = "SCANSION_"
MEBIBYTE = 1 << 20

Port = Annotated[int, typer.Option("--port", min=0, max=65_535, envvar=f"{PREFIX}PORT", help="0 takes a free one.")]


def serve(
    models: Annotated[list[str], typer.Argument(metavar="[NAME=]MODEL...", help="Model folders that fit has written, "
                                                "by default under the folders' names.")],
    host: Annotated[str, typer.Option("--host", envvar=f"{PREFIX}HOST", help="The address to listen on; 0.0.0.0 for "
                                      "all of the machine's.")] = "127.0.0.1",
    port: Port = 8000,
    api_key: Annotated[str | None, typer.Option("--api-key", envvar=f"{PREFIX}API_KEY", help="What clients have to "
                                                "send; better as the environment variable, which others do not "
                                                "see.")] = None,
    max_body: Annotated[float | None, typer.Option("--max-body", envvar=f"{PREFIX}MAX_BODY", help="MiB of a request's "
                                                   "body; by default 1.")] = None,
    max_texts: Annotated[int | None, typer.Option("--max-texts", envvar=f"{PREFIX}MAX_TEXTS", help="Texts of one "
                                                  "request; by default 256.")] = None,
    max_tokens: Annotated[int | None, typer.Option("--max-tokens", envvar=f"{PREFIX}MAX_TOKENS", help="Tokens of one "
                                                   "text; by default 16,384.")] = None,
    queue: Annotated[int | None, typer.Option("--queue", envvar=f"{PREFIX}QUEUE", help="Texts of each model that wait; "
                                              "one more is refused with 429. By default 1,024.")] = None,
    queue_seconds: Annotated[float | None, typer.Option("--queue-seconds", envvar=f"{PREFIX}QUEUE_SECONDS", help="How "
                                                        "long a text may have to wait; by default 1.")] = None,
    batch_tokens: Annotated[int | None, typer.Option("--batch-tokens", envvar=f"{PREFIX}BATCH_TOKENS", help="Read "
                                                     "together, about; by default 2,048.")] = None,
    batch_wait: Annotated[float | None, typer.Option("--batch-wait", envvar=f"{PREFIX}BATCH_WAIT", help="Milliseconds "
                                                     "that a text waits for others; by default 2.")] = None,
    client_seconds: Annotated[float | None, typer.Option("--client-seconds", envvar=f"{PREFIX}CLIENT_SECONDS",
                                                         help="For a request's head to come in, and for its body; by "
                                                         "default 10.")] = None,
    connections: Annotated[int | None, typer.Option("--connections", envvar=f"{PREFIX}CONNECTIONS", help="Open at a "
                                                    "time; by default 4,096.")] = None,
    drain_seconds: Annotated[float | None, typer.Option("--drain-seconds", envvar=f"{PREFIX}DRAIN_SECONDS",
                                                        help="For what is under way when SIGTERM comes; by default "
                                                        "30.")] = None,
) -> None:
    """Put models behind HTTP."""
    from scansion.serving.application import check_names
    from scansion.serving.server import listening, run
    from scansion.serving.server_limits import Limits
    from scansion.serving.service import Service

    if api_key == "":
        raise UsageError("--api-key is empty. Give a key, or leave it out.")
    given: dict[str, Any] = {
        "body_bytes": None if max_body is None else int(max_body * MEBIBYTE), "texts": max_texts, "tokens": max_tokens,
        "queue_texts": queue, "queue_seconds": queue_seconds, "batch_tokens": batch_tokens,
        "batch_wait": None if batch_wait is None else batch_wait / 1000, "client_seconds": client_seconds,
        "connections": connections, "drain_seconds": drain_seconds,
    }
    limits = Limits(**{name: value for name, value in given.items() if value is not None})
    named = [_named(each) for each in models]
    check_names([name for name, _ in named])
    service = Service(dict(named), limits, api_key)
    run(service, listening(host, port))


def _named(given: str) -> tuple[str, Path]:
    """NAME=FOLDER, or a folder under its own name."""
    name, equals, folder = given.partition("=")
    path = Path(folder if equals and not Path(given).exists() else given)
    return (name if equals and path != Path(given) else path.resolve().name), path
