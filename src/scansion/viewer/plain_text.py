"""Texts of users and of models where they could be taken for commands: on a terminal, and in Markdown."""

import re

COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that turn the direction of what follows."""
ADDRESS = re.compile(r"://|@\w|[^\W\d_][.][^\W\d_]{2}")
"""What makes a link of a word that stands by itself: a scheme, a mail address, a domain."""
QUOTE, ESCAPED_BAR = "'", r"\|"
MARKS = re.compile(r"[\\`*_\[\]|~<&]")


def printable(text: str) -> str:
    r"""Without what commands a terminal: such a character is written as ``\u001b``, as JSON writes it."""
    return COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def markdown_text(text: str) -> str:
    """A text that Markdown shows as it is, on one line: without links, pictures, tags, tables and emphasis."""
    return re.sub(r"\S+", lambda found: _markdown_word(found[0]), printable(text).replace("\n", " "))


def _markdown_word(word: str) -> str:
    if ADDRESS.search(word):  # of which links are made, save in code
        return f"`{word.replace('`', QUOTE).replace('|', ESCAPED_BAR)}`"
    return MARKS.sub(r"\\\g<0>", word)
