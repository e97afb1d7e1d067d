"""A model folder in which one bit is another is refused, whichever bit it is."""

import random
from contextlib import suppress

import pytest

from scansion import BagOfWords, DocumentClassifier, load
from scansion.errors import StorageError

SHORT = 150


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flips") / "model"
    texts = [f"{('good', 'bad')[number % 2]} w{number % 5}" for number in range(40)]
    DocumentClassifier(BagOfWords(), random_state=0).fit(texts, ["p", "n"] * 20).save(folder)
    return folder


def check(folder, flips, tried):
    draw = random.Random(0)
    files = sorted(folder.iterdir())
    whole = {file: file.read_bytes() for file in files}
    every = [(file, bit) for file in files for bit in range(8 * len(whole[file]))]
    chosen, passed = draw.sample(every, min(flips, len(every))), []
    for file, bit in chosen:
        other = bytearray(whole[file])
        other[bit // 8] ^= 1 << bit % 8
        file.write_bytes(other)
        with suppress(StorageError):
            load(folder)
            passed.append((file.name, bit))
        file.write_bytes(whole[file])
    tried("bit flips of a model folder", len(chosen), len(passed))
    assert not passed
    assert load(folder).predict(["good"]) == ["p"]


def test_some_bits_flipped_are_noticed(model, tried):
    check(model, SHORT, tried)


@pytest.mark.long
def test_twelve_thousand_bits_flipped_are_noticed(model, tried):
    check(model, 12_000, tried)
