"""A translator, from pairs of texts to a folder and back: small mappings that are real ones."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

import scansion
from scansion.errors import NotFittedError, UnsafeFolderError, UsageError
from scansion.families.recurrent_encoder_decoder import LSTMEncoderDecoder, RNNEncoderDecoder
from scansion.families.sequence_to_sequence import SequenceToSequence
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder
from scansion.learning.writer import WriterTraining
from scansion.tasks.translation import Translator

ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number: int) -> str:
    """2071 -> "two thousand seventy one", from 20 up and without teens."""
    thousands, rest = divmod(number, 1000)
    hundreds, rest = divmod(rest, 100)
    tens, ones = divmod(rest, 10)
    words = [ONES[thousands], "thousand"] if thousands else []
    words += [ONES[hundreds], "hundred"] if hundreds else []
    words += [TENS[tens]] if tens else []
    return " ".join([*words, ONES[ones]] if ones else words)


NUMBERS = [number for number in range(20, 5_000) if number % 100 // 10 != 1]
DIGITS = [" ".join(str(number)) for number in NUMBERS]
WORDS = [in_words(number) for number in NUMBERS]
SMALL = {
    "transformer": TransformerEncoderDecoder(width=16, heads=2, layers=1, feed_forward=32),
    "lstm": LSTMEncoderDecoder(width=16, hidden=16),
    "rnn": RNNEncoderDecoder(width=16, hidden=16),
    "lstm-without-attention": SequenceToSequence(width=16, hidden=16),
}
QUICK = WriterTraining(fewest_epochs=1, most_epochs=1, smallest_batch=400, largest_batch=400)


@pytest.fixture(scope="module", params=list(SMALL))
def quick(request):
    """A translator that has hardly learned, and the pairs it was given."""
    model = Translator(SMALL[request.param], pieces=400, training=QUICK, processes=1, random_state=0)
    return model.fit(DIGITS[:300], WORDS[:300])


def test_the_transformer_learns_to_say_numbers_in_words():
    rows = np.random.default_rng(0).permutation(len(NUMBERS))
    train, test = rows[200:], rows[:200]
    family = TransformerEncoderDecoder(
        width=64, heads=4, layers=2, feed_forward=128, dropout=0.1, learning_rate=1e-3
    )
    training = WriterTraining(
        fewest_epochs=30, most_epochs=30, smallest_batch=1_000, largest_batch=1_000, label_smoothing=0.0, consistency=0.0
    )
    model = Translator(family, pieces=400, training=training, processes=1, random_state=0)
    model.fit([DIGITS[row] for row in train], [WORDS[row] for row in train])
    found = model.predict([DIGITS[row] for row in test])
    assert np.mean([answer == WORDS[row] for answer, row in zip(found, test, strict=True)]) >= 0.99


def test_answers_come_in_the_order_of_the_texts_whatever_the_batch(quick):
    texts = DIGITS[300:330]
    together = quick.predict(texts, beam=3)
    assert together == [quick.predict([text], beam=3)[0] for text in texts]
    assert together == quick.predict(texts[::-1], beam=3)[::-1]


def test_alternatives_are_distinct_and_sorted(quick):
    found = quick.translate(DIGITS[5], beam=4, alternatives=3)
    assert len({each.text for each in found}) == len(found) <= 3
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert found[0].text == quick.predict([DIGITS[5]], beam=4)[0]
    with pytest.raises(UsageError, match="A beam of 2 holds 1 to 2 alternatives; got 3"):
        quick.translate(DIGITS[5], beam=2, alternatives=3)


def test_a_folder_in_a_fresh_process_answers_the_same(quick, tmp_path):
    quick.save(tmp_path / "model")
    code = "import scansion, sys; print(scansion.load(sys.argv[1]).predict(sys.argv[2:]))"
    texts = DIGITS[300:304]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model"), *texts], env=environment, capture_output=True, text=True,
        check=True,
    )
    assert done.stdout.strip() == str(quick.predict(texts))
    loaded = scansion.load(tmp_path / "model")
    assert (loaded.get_params()["pieces"], loaded.family_) == (400, quick.family_)


def test_the_same_seed_gives_the_same_translator_and_fit_twice_is_fit_once():
    model = Translator(SMALL["transformer"], pieces=300, training=QUICK, processes=1, random_state=3)
    first = model.fit(DIGITS[:60], WORDS[:60]).predict(DIGITS[60:70])
    assert model.fit(DIGITS[:60], WORDS[:60]).predict(DIGITS[60:70]) == first
    assert clone(model).fit(DIGITS[:60], WORDS[:60]).predict(DIGITS[60:70]) == first


def test_odd_texts_are_translated_too(quick):
    assert len(quick.predict(["", "  ", "😀" * 50, "x\ny"])) == 4
    assert quick.predict([]) == []


def test_what_does_not_fit_together_is_refused():
    model = Translator(SMALL["rnn"], pieces=300, training=QUICK)
    with pytest.raises(NotFittedError, match=r"Call fit\(sources, targets\) first"):
        model.predict(["a"])
    with pytest.raises(UsageError, match="3 sources and 2 targets"):
        model.fit(["a", "b", "c"], ["x", "y"])
    with pytest.raises(UsageError, match="0 sources and 0 targets"):
        model.fit([], [])
    with pytest.raises(UsageError, match="no family 'transformr' that translates"):
        Translator("transformr").fit(["a"], ["b"])
    with pytest.raises(UsageError, match="can be read more than once"):
        model.fit(iter(["a"]), ["b"])


def test_a_vocabulary_that_does_not_fit_is_refused(quick, tmp_path):
    pieces, merges = quick.subwords_.pieces, quick.subwords_.merges
    for broken in ([*merges, ("qq", "zz")], [*merges, ("three", "parts", "here")]):
        spoiled = clone(quick)
        vars(spoiled).update(vars(quick) | {"subwords_": type(quick.subwords_)(pieces, broken)})
        spoiled.save(tmp_path / "model")
        with pytest.raises((UnsafeFolderError, scansion.errors.StorageError)):
            scansion.load(tmp_path / "model")


def test_progress_is_told():
    model = Translator(SMALL["lstm"], pieces=300, training=QUICK, processes=1, random_state=0)
    kinds = [type(event).__name__ for event in model.fitting(DIGITS[:80], WORDS[:80])]
    assert [kind for kind, _ in itertools.groupby(kinds)] == ["Stage", "Step", "Epoch"]
    assert model.fit_report_.perplexity > 1
