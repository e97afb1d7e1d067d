"""Every error raised on purpose.

    ScansionError                 exit code 1
    ├── UsageError                2   an argument or option is wrong (a ValueError too)
    ├── NotFittedError            2   predict before fit
    ├── DataError                 4   the user's data is wrong: file, row, column
    ├── StorageError              1   a folder cannot be written or read
    │   └── UnsafeFolderError     1   a folder was changed, cut or was never ours
    ├── DivergedError             1   training met a loss or a weight that is not a number
    ├── MissingExtraError         1   an optional package is needed and absent
    ├── InterruptedRunError     130   a run was asked to stop, and was kept
    ├── ThresholdError            3   a demanded score was not reached
    └── SomeFamiliesFailedError   5   a comparison ended, but not for every family

A message says what was given, what was expected and what to do.  TargetWarning is no error: it asks about the targets
of a fit, which goes on.
"""

import os
from collections.abc import Iterable
from difflib import get_close_matches


class ScansionError(Exception):
    """The root: catch this to catch everything the package raises on purpose."""

    exit_code = 1


class UsageError(ScansionError, ValueError):
    """An argument, option or call is wrong."""

    exit_code = 2


class NotFittedError(ScansionError, ValueError, AttributeError):
    """The estimator has no model yet; scikit-learn's own error has the same two parents."""

    exit_code = 2


class DataError(ScansionError, ValueError):
    """The user's data is wrong; the message names file, row and column."""

    exit_code = 4


class StorageError(ScansionError, OSError):
    """A folder cannot be written or read."""


class UnsafeFolderError(StorageError):
    """A folder does not hold what its manifest says, or holds what no model folder may."""


class DivergedError(ScansionError, ArithmeticError):
    """Training met a loss or a weight that is not a finite number."""


class MissingExtraError(ScansionError, ImportError):
    """An optional package is needed; the message names the extra to install."""


class InterruptedRunError(ScansionError):
    """A run was asked to stop, and all of it is kept; the message says where."""

    exit_code = 130


class ThresholdError(ScansionError):
    """A demanded score was not reached."""

    exit_code = 3


class SomeFamiliesFailedError(ScansionError):
    """A comparison ended, but at least one family has no score."""

    exit_code = 5


def check_system() -> None:
    """ScansionError on Windows, whose files have neither the locks nor the openings that model folders rely on."""
    if os.name == "nt":
        raise ScansionError("scansion runs on Linux and macOS. On Windows use it inside WSL 2: wsl --install.")


class TargetWarning(UserWarning):
    """Something about the targets of a fit that may not be meant."""


MOST_LISTED = 100


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """``"; did you mean 'lstm'?"`` for a near miss, else a list of what is known."""
    known = list(known)
    close = get_close_matches(given, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    more = f" and {len(known) - MOST_LISTED:,} more" if len(known) > MOST_LISTED else ""
    return f"; known: {', '.join(map(repr, known[:MOST_LISTED]))}{more}."


def shown(text: str, longest: int = 60) -> str:
    """A document for a message: control characters escaped, cut to ``longest`` characters."""
    escaped = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text[: longest + 1]
    )
    return repr(escaped if len(escaped) <= longest else escaped[: longest - 1] + "…")
