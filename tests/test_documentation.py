"""What the documents show works: their Python runs, their sessions print what they show, and their commands exist."""

import doctest
import os
import re
import shlex
import subprocess
import sys
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
def test_the_python_of_a_page_runs_and_gives_what_it_shows(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, block in enumerate(blocks(page, "python")):
        if block.startswith(">>>"):
            example = doctest.DocTestParser().get_doctest(block, names, f"{page.name}, block {number}", None, 0)
            runner = doctest.DocTestRunner()
            runner.run(example, clear_globs=False)
            assert not runner.failures, capsys.readouterr().out
            names = example.globs
        else:
            exec(compile(block, page.name, "exec"), names)  # noqa: S102


NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
SECONDS = re.compile(r"\d+(?:\.\d+)? s\b(?: [\d,.]+$)?")  # and those of processors, in a table's last column
PROCESSOR_SECONDS = re.compile(r"[\d,.]+ processor seconds")


def sessions(page: Path) -> list[tuple[str, str]]:
    """Every command of a page's sessions, and what it is shown to print."""
    found = []
    for block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append((command, shown))
    return found


def _plain(text: str) -> str:
    lines = (re.sub(" +", " ", line).rstrip() for line in text.splitlines())  # columns are as wide as their figures
    return "\n".join(PROCESSOR_SECONDS.sub("# processor seconds", SECONDS.sub("# s", line)) for line in lines)


def same(printed: str, shown: str) -> bool:
    """Equal but for seconds, blanks at the ends of lines, and what another processor does to the last digits."""
    printed, shown = (_plain(each) for each in (printed, shown))
    if NUMBER.sub("#", printed) != NUMBER.sub("#", shown):
        return False
    pairs = zip(NUMBER.findall(printed), NUMBER.findall(shown), strict=True)
    return all(abs(float(a.replace(",", "")) - float(b.replace(",", ""))) <= 0.02 * float(b.replace(",", "")) + 0.02
               for a, b in pairs)


def test_the_readmes_session_prints_what_it_shows(tmp_path):
    header, *rows = (ROOT / "tests/data/polarity.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "reviews.csv").write_text(header + "".join(rows[:300]), encoding="utf-8")
    (tmp_path / "held-out.csv").write_text(header + "".join(rows[300:]), encoding="utf-8")
    environment = os.environ | {
        "COLUMNS": "80", "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    steps = sessions(ROOT / "README.md")
    assert len(steps) == 5
    for command, shown in steps:
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert same(done.stdout, shown), f"{command}\n{done.stdout}"
    assert (tmp_path / "look.html").exists()


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
