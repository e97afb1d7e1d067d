"""How much a server takes at a time and how long it waits; every default stands here."""

from dataclasses import dataclass

from scansion.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """Beyond a limit a request is refused with a sentence; nothing is cut."""

    body_bytes: int = 1 << 20
    """Of a request's body."""
    texts: int = 256
    """Of one request."""
    tokens: int = 16_384
    """Of one text, as its model counts them."""
    queue_texts: int = 1_024
    """Of each model: while so many wait or are being read, no request is admitted."""
    queue_seconds: float = 1.0
    """How long a text may have to wait, reckoned from how fast its model has been."""
    batch_tokens: int = 2_048
    """Read together, about; a longer text is read alone.  Much more keeps the interpreter busy for so long at a time
    that refusals come late, and little is gained by it."""
    batch_wait: float = 0.002
    """Seconds that a text waits for others to be read with."""
    client_seconds: float = 10.0
    """For the head of a request to come in, and again for its body."""
    connections: int = 4_096
    """Open at a time; one more is closed."""
    drain_seconds: float = 30.0
    """For what is under way to be finished before the process ends."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0 and not (name == "batch_wait" and value == 0):
                raise UsageError(f"A server's limit {name.replace('_', ' ')!r} must be above 0; got {value:g}.")
