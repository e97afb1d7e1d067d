"""A list of words as one JSON array, a word a line; a word may hold any character, a newline too."""

from collections.abc import Sequence

from scansion.errors import UnsafeFolderError, UsageError
from scansion.storage.limits import MOST_FILE_BYTES, VOCABULARY
from scansion.storage.strict_json import json_bytes, parse_json


def words_to_bytes(words: Sequence[str]) -> bytes:
    """The words in order; UsageError for anything that is not text, stands twice or holds half a surrogate pair."""
    words = list(words)
    if any(not isinstance(word, str) for word in words):
        raise UsageError("A vocabulary holds text only; turn each entry into a str.")
    if len(set(words)) < len(words):
        raise UsageError("A vocabulary holds each word once; these words repeat one.")
    return json_bytes(words)


def words_from_bytes(data: bytes, where: str) -> list[str]:
    """The words in order."""
    words = parse_json(data, where, MOST_FILE_BYTES[VOCABULARY])
    if not isinstance(words, list) or any(not isinstance(word, str) for word in words):
        raise UnsafeFolderError(f"{where} must be one list of words.")
    if len(set(words)) < len(words):
        raise UnsafeFolderError(f"{where} holds a word twice.")
    return words
