"""What a request is refused with: a status of HTTP, one sentence, and when to come back."""

from scansion.errors import ScansionError

BAD_REQUEST, UNAUTHORIZED, NOT_FOUND, NOT_ALLOWED, TIMED_OUT = 400, 401, 404, 405, 408
TOO_LARGE, MISDIRECTED, UNPROCESSABLE, TOO_MANY, BROKEN, UNAVAILABLE = 413, 421, 422, 429, 500, 503


class RefusalError(ScansionError):
    """A request is not answered; ``retry_after`` are whole seconds, None where coming back does not help."""

    def __init__(self, status: int, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.retry_after = status, retry_after


def unprocessable(sentence: str) -> RefusalError:
    """For a body that was understood and cannot be done."""
    return RefusalError(UNPROCESSABLE, sentence)
