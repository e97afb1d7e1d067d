"""What has to be imported before the first answer: of a model that counts neither torch nor scikit-learn."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import scansion
from small_families import SMALL

TEXTS = [f"{'a quiet marvel' if i % 2 else 'a loud failure'} number {i % 5}" for i in range(40)]
LABELS = ["good" if i % 2 else "bad" for i in range(40)]
SETS = [("even",) * (i % 2 == 0) + ("fifth",) * (i % 5 == 0) for i in range(40)]
SLOW = ("torch", "sklearn", "scipy.optimize", "scipy.stats", "pandas", "pyarrow", "sacrebleu", "jinja2")
MOST_MEGABYTES = 200


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Models of every kind that counts, a network, and a table."""
    folder = tmp_path_factory.mktemp("start_up")
    for family in ("baseline", "bag-of-words", "n-grams"):
        scansion.DocumentClassifier(family).fit(TEXTS, LABELS).save(folder / family)
    scansion.DocumentClassifier("bag-of-words").fit(TEXTS, SETS).save(folder / "several")
    scansion.DocumentRegressor("n-grams").fit(TEXTS, [float(len(text)) for text in TEXTS]).save(folder / "numbers")
    training = scansion.Training(max_tokens=100, min_epochs=1, max_epochs=1)
    scansion.DocumentClassifier(SMALL["lstm"], training=training).fit(TEXTS, LABELS).save(folder / "network")
    rows = [f"{text},{label}" for text, label in zip(TEXTS, LABELS, strict=True)]
    (folder / "table.csv").write_text("\n".join(["text,label", *rows]))
    return folder


def run(program: str, folder: Path) -> list[str]:
    """What a program prints in a fresh process; at last the slow modules it has imported."""
    told = f"\nimport sys; print([name for name in {SLOW} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program + told], capture_output=True, text=True, env=environment, cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines() + done.stderr.splitlines()


def test_a_model_that_counts_is_loaded_and_asked_without_torch_and_without_scikit_learn(place):
    program = """
import scansion
for name in ("baseline", "bag-of-words", "n-grams", "several"):
    model = scansion.load(name)
    model.predict(["a quiet marvel"]), model.predict_proba(["a quiet marvel"]), model.coverage(["a quiet marvel"])
    model.transform(["a quiet marvel"]), model.explain("a quiet marvel"), model.get_params(), repr(model)
model = scansion.load("bag-of-words")
assert model.score(["a quiet marvel", "a loud failure"], ["good", "bad"]) == 1
scansion.load("numbers").predict(["a quiet marvel"])
scansion.BagOfWords(), scansion.NGrams(), scansion.Training()
from pathlib import Path
status = Path("/proc/self/status")  # Linux; ru_maxrss counts who started the process too
print(next(line.split()[1] for line in status.open() if line.startswith("VmHWM")) if status.exists() else 0)
"""
    kilobytes, slow = run(program, place)
    assert slow == "[]"
    assert int(kilobytes) / 1024 < MOST_MEGABYTES


def test_the_command_answers_and_scores_with_counts_without_torch(place):
    program = """
from scansion.cli.main import carry_out
assert carry_out(["predict", "n-grams", "table.csv", "--proba"]) == 0
assert carry_out(["predict", "bag-of-words", "table.csv", "--json", "--text", "text"]) == 0
assert carry_out(["predict", "several", "table.csv", "--vectors", "vectors.npz"]) == 0
assert carry_out(["evaluate", "bag-of-words", "table.csv", "--json"]) == 0
"""
    assert "[]" in run(program, place)


def test_a_model_that_counts_is_served_without_torch(place):
    program = """
import asyncio
from pathlib import Path
import httpx
from scansion.serving.application import application
from scansion.server_limits import Limits
from scansion.serving.service import Service

async def asked():
    service = Service({"m": Path("n-grams")}, Limits())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(service)), base_url="http://m") as client:
        await service.start()
        assert (await client.post("/predict", json={"texts": "a quiet marvel"})).status_code == 200
        assert (await client.post("/explain", json={"text": "a quiet marvel"})).status_code == 200
        await service.stop()

asyncio.run(asked())
"""
    assert "torch" not in run(program, place)[0]


MISTYPED = {
    "There is no column 'txet' for the text": ["predict", "network", "table.csv", "--text", "txet"],
    "There is no file 'tabel.csv'; did you mean 'table.csv'?": ["predict", "network", "tabel.csv"],
    "There is no model folder netwrok": ["predict", "netwrok", "table.csv"],
    "--beam does not go with": ["predict", "network", "table.csv", "--beam", "3"],
    "There is no column 'lable' for the target": ["evaluate", "network", "table.csv", "--target", "lable"],
    "There is no file 'missing.csv'": ["evaluate", "network", "missing.csv"],
}


def test_what_is_mistyped_costs_no_import_of_a_network(place):
    program = f"""
from scansion.cli.main import carry_out
for words in {list(MISTYPED.values())}:
    assert carry_out(words) in (1, 2, 4)
"""
    slow, *told = run(program, place)
    assert slow == "[]"
    assert [sentence for sentence in MISTYPED if sentence not in "\n".join(told)] == []
