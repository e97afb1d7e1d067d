"""``scansion serve``: models behind HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from scansion.errors import UsageError
from scansion.server_limits import Limits

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
MEBIBYTE, MILLISECONDS = 1 << 20, 1000
LIMITS = Limits()

Port = Annotated[int, typer.Option("--port", min=0, max=65_535, envvar=f"{PREFIX}PORT", help="0 takes a free one.")]


def serve(
    models: Annotated[list[str], typer.Argument(metavar="[NAME=]MODEL...", help="Model folders that fit has written, "
                                                "by default under the folders' names.")],
    host: Annotated[str, typer.Option("--host", envvar=f"{PREFIX}HOST", help="The address to listen on; 0.0.0.0 for "
                                      "all of the machine's.")] = "127.0.0.1",
    port: Port = 8000,
    allow_host: Annotated[list[str] | None, typer.Option("--allow-host", metavar="NAME", envvar=f"{PREFIX}ALLOW_HOST",
                                                         help="A name that it answers to, again for another; by "
                                                         "default those of this machine, or any where --host lets "
                                                         "others in.")] = None,
    api_key: Annotated[str | None, typer.Option("--api-key", envvar=f"{PREFIX}API_KEY", help="What clients have to "
                                                "send; better as the environment variable, which others do not "
                                                "see.")] = None,
    max_body: Annotated[float, typer.Option("--max-body", envvar=f"{PREFIX}MAX_BODY", help="MiB of a request's "
                                            "body.")] = LIMITS.body_bytes / MEBIBYTE,
    max_texts: Annotated[int, typer.Option("--max-texts", envvar=f"{PREFIX}MAX_TEXTS", help="Texts of one "
                                           "request.")] = LIMITS.texts,
    max_tokens: Annotated[int, typer.Option("--max-tokens", envvar=f"{PREFIX}MAX_TOKENS", help="Tokens of one "
                                            "text.")] = LIMITS.tokens,
    queue: Annotated[int, typer.Option("--queue", envvar=f"{PREFIX}QUEUE", help="While so many texts of a "
                                       "model wait, a request is refused with 429.")] = LIMITS.queue_texts,
    queue_seconds: Annotated[float, typer.Option("--queue-seconds", envvar=f"{PREFIX}QUEUE_SECONDS", help="How long a "
                                                 "text may have to wait.")] = LIMITS.queue_seconds,
    batch_tokens: Annotated[int, typer.Option("--batch-tokens", envvar=f"{PREFIX}BATCH_TOKENS", help="Read together, "
                                              "about.")] = LIMITS.batch_tokens,
    batch_wait: Annotated[float, typer.Option("--batch-wait", envvar=f"{PREFIX}BATCH_WAIT", help="Milliseconds that a "
                                              "text waits for others.")] = LIMITS.batch_wait * MILLISECONDS,
    client_seconds: Annotated[float, typer.Option("--client-seconds", envvar=f"{PREFIX}CLIENT_SECONDS", help="For a "
                                                  "request's head to come in, and for its "
                                                  "body.")] = LIMITS.client_seconds,
    connections: Annotated[int, typer.Option("--connections", envvar=f"{PREFIX}CONNECTIONS", help="Open at a "
                                             "time.")] = LIMITS.connections,
    drain_seconds: Annotated[float, typer.Option("--drain-seconds", envvar=f"{PREFIX}DRAIN_SECONDS", help="For what is "
                                                 "under way when SIGTERM comes.")] = LIMITS.drain_seconds,
) -> None:
    """Put models behind HTTP."""
    from scansion.serving.application import check_names
    from scansion.serving.server import listening, run
    from scansion.serving.service import Service

    if api_key == "":
        raise UsageError("--api-key is empty. Give a key, or leave it out.")
    limits = Limits(
        body_bytes=int(max_body * MEBIBYTE), texts=max_texts, tokens=max_tokens, queue_texts=queue,
        queue_seconds=queue_seconds, batch_tokens=batch_tokens, batch_wait=batch_wait / MILLISECONDS,
        client_seconds=client_seconds, connections=connections, drain_seconds=drain_seconds,
    )
    named = [_named(each) for each in models]
    check_names([name for name, _ in named])
    service = Service(dict(named), limits, api_key)
    run(service, listening(host, port), allow_host or ())


def _named(given: str) -> tuple[str, Path]:
    """NAME=FOLDER, or a folder under its own name."""
    name, equals, folder = given.partition("=")
    path = Path(folder if equals and not Path(given).exists() else given)
    return (name if equals and path != Path(given) else path.resolve().name), path
