"""Texts in parts of a bounded size, to be cut into tokens some at a time."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

CHARACTERS_AT_A_TIME = 1 << 22
BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\S)")


@dataclass(frozen=True)
class Part:
    """Of a text, and whether it begins and ends it."""

    text: str
    opens: bool
    closes: bool


def chunks(texts: Iterable[str], prefix: str) -> Iterator[list[Part]]:
    """Parts of texts, about so many characters at a time; a text is parted only where it is longer than that."""
    waiting: list[Part] = []
    size = 0
    for text in texts:
        for part in _parted(prefix + text if text else text):
            waiting.append(part)
            size += 1 + len(part.text)
            if size > CHARACTERS_AT_A_TIME:
                yield waiting
                waiting, size = [], 0
    if waiting:
        yield waiting


def _parted(text: str) -> Iterator[Part]:
    begin = 0
    while len(text) - begin > CHARACTERS_AT_A_TIME:
        end = begin + CHARACTERS_AT_A_TIME
        blanks: Sequence[re.Match[str]] = list(BETWEEN_WORDS.finditer(text, end - 1_000, end))
        end = blanks[-1].start() if blanks else end
        yield Part(text[begin:end], begin == 0, False)
        begin = end
    yield Part(text[begin:], begin == 0, True)
