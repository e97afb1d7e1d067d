"""The command called in this process, and models that it has fitted."""

import signal
from pathlib import Path
from typing import NamedTuple

import pytest

from scansion.cli.main import carry_out

DATA = Path(__file__).parents[1] / "data"


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_interrupts():
    """A job in the background is started with SIGINT ignored, and so would be all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def scansion(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")

    def call(*words: object) -> Result:
        capsys.readouterr()
        code = carry_out([str(word) for word in words])
        return Result(code, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    def fit(name: str, *words: object) -> Path:
        place = tmp_path_factory.mktemp("models") / name
        assert carry_out(["fit", *map(str, words), "--family", "bag-of-words", "--out", str(place)]) == 0
        return place

    return fit


@pytest.fixture(scope="session")
def model(fitted) -> Path:
    return fitted("polarity", DATA / "polarity.csv")


@pytest.fixture(scope="session")
def numbers(fitted) -> Path:
    return fitted("intensity", DATA / "intensity.tsv")


@pytest.fixture(scope="session")
def topics(fitted, tmp_path_factory) -> tuple[Path, Path]:
    """A model that answers with several labels, and the table it was fitted on."""
    table = tmp_path_factory.mktemp("tables") / "topics.tsv"
    rows = ["red apple pie\tfood|fruit", "blue sky\tsky", "red sky\tsky|odd", "pie pie\tfood"] * 8
    table.write_text("\n".join(["text\ttopics", *rows, ""]))
    return fitted("topics", table, "--label-separator", "|"), table

