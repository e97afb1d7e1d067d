"""Labels, columns, file names and texts that would command a terminal reach it through no verb and in no format."""

import json
from itertools import product

import pytest
from markdown_it import MarkdownIt

from scansion.viewer.plain_text import COMMANDS

pytestmark = pytest.mark.usefixtures("warm_processes")

STRINGS = {
    "title, alarm, C1, overriding direction": "\x1b]0;owned\x07\x9b2J\u202e",
    "clear": "\x1b[2J\x1b[H", "colour": "\x1b[31;1m", "query": "\x1b[6n", "device control": "\x1bP+q544e\x1b\\",
    "paste": "\x1b]52;c;ZWNobyBvd25lZA==\x07", "link": "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "C1 strings": "\x9d0;owned\x9c\x90q\x9c", "backspaces": "good\x08\x08\x08\x08bad", "delete": "\x7f\x7f",
    "isolates": "\u2066\u2067\u2068\u2069", "embeddings": "\u202a\u202b\u202c\u202d", "marks": "\u200e\u200f\u061c",
    "image": "![x](https://evil.example/x.png)\x1b[1m", "tag": "<img src=x onerror=alert(1)><script>x</script>\x07",
    "table": "a|b\\|c\x1b[0m`|`", "shift": "\x0e\x0f\x05", "reference": "[a]: javascript:alert(1)\x9b0m",
}
"""What would command a terminal, or be alive on a page."""
SHORT = next(iter(STRINGS))


@pytest.fixture(scope="module", params=[
    pytest.param(evil, id=name, marks=[pytest.mark.long] * (name != SHORT)) for name, evil in STRINGS.items()
])
def evil(request):
    """The first in the short form, the others in the long one."""
    return request.param


HERE = "§"
"""Where the string goes."""
TEXT, LABEL, LABELS = "te§xt", "la§bel", ["good§", "[bad§](https://evil.example)"]
COLUMNS = ("--text", TEXT, "--target", LABEL)
VERBS = [
    ("fit", *COLUMNS, "--family", "bag-of-words", "--force", "--out", "OUT"),
    ("fit", *COLUMNS, "--family", "bag-of-words", "--force", "--out", "OUT", "--json"),
    ("predict", "MODEL"), ("predict", "MODEL", "--json"), ("predict", "MODEL", "--proba", "--read"),
    ("predict", "MODEL", "--json", "--keep", f"{TEXT},{LABEL}"), ("predict", "MODEL", "--text", f"{TEXT}?"),
    ("evaluate", "MODEL"), ("evaluate", "MODEL", "--json"), ("evaluate", "MODEL", "--target", HERE),
]
KINDS = ("data", "numbers", "sets")


@pytest.fixture(scope="module")
def put(evil):
    """A word with the string in it."""
    return lambda word: word.replace(HERE, evil)


@pytest.fixture(scope="module")
def at(evil):
    """A path whose last name holds the string, but for what no name can hold."""
    return lambda folder, name: folder / name.replace(HERE, evil.replace("/", "\u2215"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, put, at):
    """Tables of hostile cells under hostile columns, in files with hostile names."""
    place, text, label = tmp_path_factory.mktemp("hostile"), put(TEXT), put(LABEL)
    rows = [
        {text: put(f"{first} § {second} {('fine', 'dull')[i % 2]}"), label: put(LABELS[i % 2])}
        for i, (first, second) in enumerate(product("abcdef", repeat=2))
    ]
    numbers = [{text: row[text], label: i / 7} for i, row in enumerate(rows)]
    sets = [{text: row[text], label: [row[label], put("also§")][: 1 + i % 3 // 2]} for i, row in enumerate(rows)]
    for kind, table in zip(KINDS, (rows, numbers, sets), strict=True):
        at(place, f"{kind}§.jsonl").write_text("\n".join(map(json.dumps, table)))
    at(place, "corpus§.txt").write_text("\n".join(row[text] for row in rows))
    return place


@pytest.fixture(scope="module")
def models(folder, put, at):
    """A model of each kind, in a folder with a hostile name."""
    from scansion.cli.main import carry_out

    for kind in KINDS:
        words = ["fit", str(at(folder, f"{kind}§.jsonl")), *map(put, COLUMNS), "--family", "bag-of-words"]
        assert carry_out([*words, "--out", str(at(folder, f"{kind}§"))]) == 0
    corpus = ["fit", str(at(folder, "corpus§.txt")), "--task", "language"]
    assert carry_out([*corpus, "--out", str(at(folder, "corpus§"))]) == 0
    return folder


@pytest.fixture
def is_clean(tried):
    def check(done):
        found = [text for text in (done.out, done.err) if COMMANDS.search(text)]
        tried("hostile strings through verbs and formats", 1, len(found) + ("This is a bug" in done.err))
        assert not found
        assert "This is a bug" not in done.err

    return check


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("words", VERBS, ids=range(len(VERBS)))
def test_through_every_verb(scansion, models, put, at, is_clean, kind, words, tmp_path):
    places = {"OUT": at(tmp_path, "out§"), "MODEL": at(models, f"{kind}§")}
    verb, *more = (places.get(word) or put(word) for word in words)
    first, *rest = more
    data = at(models, f"{kind}§.jsonl")
    is_clean(scansion(verb, *([first, data, *rest] if first == places["MODEL"] else [data, *more])))


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_through_look_and_the_writing_of_text(scansion, models, put, at, is_clean, tmp_path, more):
    model, corpus = at(models, "data§"), at(models, "corpus§")
    is_clean(scansion("look", model, put("fine §"), "--out", at(tmp_path, "look§.html"), *more))
    is_clean(scansion("look", model, "fine", "--answer", put(HERE), "--out", tmp_path / "look.html", *more))
    is_clean(scansion("generate", corpus, "a", "--top-k", "-1", *more))
    if more:
        is_clean(scansion("generate", corpus, put("a §"), "--count", "2", *more))


def test_through_a_comparison_and_its_report(scansion, models, put, at, is_clean, tmp_path):
    out = at(tmp_path, "report§")
    words = ["compare", at(models, "data§.jsonl"), *map(put, COLUMNS), "--families", "bag-of-words", "--out", out]
    done = scansion(*words)
    assert done.code == 0
    is_clean(done)
    page = (out / "report.md").read_text()
    assert not COMMANDS.search(page)
    kinds = {each.type for token in MarkdownIt("gfm-like").parse(page) for each in token.children or ()}
    assert not kinds & {"link_open", "image", "html_inline"}


@pytest.mark.parametrize("words", [
    ("fit", "no§.csv", "--out", "m"), ("fit", "--colour§"), ("ver§b",), ("predict", "mo§del", "x"),
    ("generate", "mo§"), ("export", "mo§", "--to", HERE, "--out", "x"), ("look", "mo§", "x"), ("compare", "no§.csv"),
    ("compare", "--families", HERE, "--demo"), ("evaluate", "mo§", "no§.csv"), ("families", HERE),
    ("fit", "--demo", "--set", "wi§dth=3", "--out", "m"),
])  # fmt: skip
def test_through_every_mistake(scansion, put, is_clean, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = scansion(*map(put, words))
    assert done.code
    is_clean(done)
