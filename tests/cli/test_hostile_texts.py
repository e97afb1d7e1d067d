"""Labels, columns, file names and texts that would command a terminal reach it through no verb and in no format."""

import json
from itertools import product

import pytest
from markdown_it import MarkdownIt

from scansion.viewer.plain_text import COMMANDS

pytestmark = pytest.mark.usefixtures("warm_processes")

EVIL = "\x1b]0;owned\x07\x9b2J\u202e"
LABELS = [f"good{EVIL}", f"[bad{EVIL}](https://evil.example)"]
TEXT, LABEL = f"te{EVIL}xt", f"la{EVIL}bel"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tables of hostile cells under hostile columns, in files with hostile names."""
    place = tmp_path_factory.mktemp("hostile")
    rows = [
        {TEXT: f"{first} {EVIL} {second} {('fine', 'dull')[i % 2]}", LABEL: LABELS[i % 2]}
        for i, (first, second) in enumerate(product("abcdef", repeat=2))
    ]
    (place / f"data{EVIL}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    numbers = [{TEXT: row[TEXT], LABEL: i / 7} for i, row in enumerate(rows)]
    (place / f"numbers{EVIL}.jsonl").write_text("\n".join(map(json.dumps, numbers)))
    sets = [{TEXT: row[TEXT], LABEL: [row[LABEL], f"also{EVIL}"][: 1 + i % 3 // 2]} for i, row in enumerate(rows)]
    (place / f"sets{EVIL}.jsonl").write_text("\n".join(map(json.dumps, sets)))
    (place / f"corpus{EVIL}.txt").write_text("\n".join(row[TEXT] for row in rows))
    return place


COLUMNS = ("--text", TEXT, "--target", LABEL)
VERBS = [
    ("fit", *COLUMNS, "--family", "bag-of-words", "--force", "--out", "OUT"),
    ("fit", *COLUMNS, "--family", "bag-of-words", "--force", "--out", "OUT", "--json"),
    ("predict", "MODEL"), ("predict", "MODEL", "--json"), ("predict", "MODEL", "--proba", "--read"),
    ("predict", "MODEL", "--json", "--keep", f"{TEXT},{LABEL}"), ("predict", "MODEL", "--text", f"{TEXT}?"),
    ("evaluate", "MODEL"), ("evaluate", "MODEL", "--json"), ("evaluate", "MODEL", "--target", EVIL),
]
KINDS = ("data", "numbers", "sets")


@pytest.fixture(scope="module")
def models(folder):
    """A model of each kind, in a folder with a hostile name."""
    from scansion.cli.main import carry_out

    for kind in KINDS:
        words = ["fit", str(folder / f"{kind}{EVIL}.jsonl"), *COLUMNS, "--family", "bag-of-words"]
        assert carry_out([*words, "--out", str(folder / f"{kind}{EVIL}")]) == 0
    corpus = ["fit", str(folder / f"corpus{EVIL}.txt"), "--task", "language"]
    assert carry_out([*corpus, "--out", str(folder / f"corpus{EVIL}")]) == 0
    return folder


def is_clean(done):
    assert "This is a bug" not in done.err
    for text in (done.out, done.err):
        assert not COMMANDS.search(text), repr(text)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("words", VERBS, ids=range(len(VERBS)))
def test_through_every_verb(scansion, models, kind, words, tmp_path):
    places = {"OUT": tmp_path / f"out{EVIL}", "MODEL": models / f"{kind}{EVIL}"}
    verb, *more = (places.get(word, word) for word in words)
    first, *rest = more
    data = models / f"{kind}{EVIL}.jsonl"
    is_clean(scansion(verb, *([first, data, *rest] if first == places["MODEL"] else [data, *more])))


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_through_look_and_the_writing_of_text(scansion, models, tmp_path, more):
    is_clean(scansion("look", models / f"data{EVIL}", f"fine {EVIL}", "--out", tmp_path / f"look{EVIL}.html", *more))
    is_clean(scansion("look", models / f"data{EVIL}", "fine", "--answer", EVIL, "--out", tmp_path / "look.html", *more))
    is_clean(scansion("generate", models / f"corpus{EVIL}", "a", "--top-k", "-1", *more))
    if more:
        is_clean(scansion("generate", models / f"corpus{EVIL}", f"a {EVIL}", "--count", "2", *more))


def test_through_a_comparison_and_its_report(scansion, models, tmp_path):
    out = tmp_path / f"report{EVIL}"
    done = scansion("compare", models / f"data{EVIL}.jsonl", *COLUMNS, "--families", "bag-of-words", "--out", out)
    assert done.code == 0
    is_clean(done)
    page = (out / "report.md").read_text()
    assert not COMMANDS.search(page)
    kinds = {each.type for token in MarkdownIt("gfm-like").parse(page) for each in token.children or ()}
    assert not kinds & {"link_open", "image", "html_inline"}


@pytest.mark.parametrize("words", [
    ("fit", f"no{EVIL}.csv", "--out", "m"), ("fit", f"--colour{EVIL}"), (f"ver{EVIL}b",),
    ("predict", f"mo{EVIL}del", "x"),
    ("generate", f"mo{EVIL}"), ("export", f"mo{EVIL}", "--to", f"{EVIL}", "--out", "x"), ("look", f"mo{EVIL}", "x"),
    ("compare", f"no{EVIL}.csv"), ("compare", "--families", EVIL, "--demo"), ("evaluate", f"mo{EVIL}", f"no{EVIL}.csv"),
    ("families", EVIL), ("fit", "--demo", "--set", f"wi{EVIL}dth=3", "--out", "m"),
])  # fmt: skip
def test_through_every_mistake(scansion, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = scansion(*words)
    assert done.code
    is_clean(done)
