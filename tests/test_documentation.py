"""What the documents show works: their Python runs, and their commands exist."""

import re
import shlex
from contextlib import suppress
from pathlib import Path

import pytest
from click.exceptions import Exit

from scansion.cli.main import build

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    return sorted({found[0] for line in lines if (found := re.findall(r"\bscansion [a-z].*", line))})


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), names)  # noqa: S102


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_documents_exists(line):
    words = shlex.split(line, comments=True)[1:]
    if ">" in words:
        words = words[: words.index(">")]
    group = build(words[0])
    with group.make_context("scansion", words[:1], resilient_parsing=True) as context:
        command = group.get_command(context, words[0])
        assert command is not None, words[0]
        with suppress(Exit), command.make_context(words[0], words[1:], parent=context) as own:
            assert own.params
