"""Texts that could command a terminal, or become links in Markdown."""

import json
import unicodedata

import pytest
from markdown_it import MarkdownIt

from scansion.viewer.plain_text import markdown_text, printable

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08\u202eevil\u2066"


def test_nothing_that_commands_a_terminal_is_left():
    shown = printable(HOSTILE)
    assert shown == "\\u001b]0;owned\\u0007\\u001b[2J\\u009b31m\\u000d\\u0008\\u202eevil\\u2066"
    everything = "".join(map(chr, range(0x3000)))
    left = [c for c in printable(everything) if unicodedata.category(c) == "Cc"]
    assert left == ["\t", "\n"]


def test_ordinary_texts_of_every_script_stay_as_they_are():
    for text in ("café", "İstanbul", "日本語", "שלום", "नमस्ते", "👩‍👩‍👧", "a\tb\nc", "‏שלום‎"):
        assert printable(text) == text


def test_escaped_json_is_the_same_json():
    assert json.loads(printable(json.dumps({"label": HOSTILE}, ensure_ascii=False))) == {"label": HOSTILE}


@pytest.mark.parametrize("hostile", [
    "[click](javascript:alert(1))", "![x](https://evil.example/x.png)", "<img src=https://evil.example>",
    "https://evil.example/x", "www.evil.example", "<https://evil.example>", "a|b|c", "**bold** _it_ `code` ~~no~~",
    "[a]: https://evil.example", "mail@evil.example", "//evil.example", "a https://x.example|y b",
    "# heading\n- list\n> quote", "&lt;b&gt;", "a\\",
    "<!-- --> <script>", HOSTILE,
])  # fmt: skip
def test_in_markdown_a_text_is_only_a_text(hostile):
    tokens = MarkdownIt("gfm-like").parse(f"| a | b |\n|---|---|\n| {markdown_text(hostile)} | end |\n")
    kinds = {token.type for token in tokens} | {each.type for token in tokens for each in token.children or ()}
    assert not kinds & {"link_open", "image", "strong_open", "em_open", "s_open", "html_block", "html_inline"}
    text, _ = ("".join(each.content for each in token.children) for token in tokens[-12:] if token.type == "inline")
    assert text.split() == printable(hostile).split()
