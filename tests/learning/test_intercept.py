"""The intercept of a reader's head, fitted once more without noise."""

import numpy as np
import pytest
import torch

from scansion.families.lstm import LSTM
from scansion.families.transformer import Transformer
from scansion.heads.multilabel import MultilabelHead
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.regression import RegressionHead
from scansion.learning.loop import SingleProcess, Training
from scansion.learning.recalibration import intercept, refit_intercept
from scansion.learning.document_network import Examples, read
from scansion.learning.document_job import DocumentJob
from scansion.learning.run import train_job
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

MANY = 50_000
COLOURS = MulticlassHead(("blue", "green", "red"))


def job(family, rows: int = 400, **training) -> DocumentJob:
    """Texts with a word for each of two labels, one of them four times as frequent."""
    random = np.random.default_rng(0)
    labels = (random.random(rows) < 0.2).astype(np.int64)
    words = np.array([["good", "fine"], ["bad", "poor"]])[labels, random.integers(0, 2, rows)]
    corpus = read_words([f"{' '.join(random.choice(['a', 'the', 'of', 'it'], 6))} {word}" for word in words])
    vocabulary = Vocabulary.learn(corpus)
    examples = Examples(vocabulary.encode(corpus), labels, np.ones(rows))
    return DocumentJob(
        family, MulticlassHead(("no", "yes")), len(vocabulary), len(vocabulary.pieces),
        Training(max_epochs=3, steps=30, **training), 0, vocabulary.spell(corpus.types), examples, examples,
    )


def test_it_is_what_makes_the_mean_probability_of_each_label_its_frequency():
    random = np.random.default_rng(0)
    targets = random.choice(3, MANY, p=[0.6, 0.3, 0.1])
    scores = random.normal(size=(MANY, 3)) + np.eye(3)[targets]
    moved = intercept(COLOURS, scores, targets, np.ones(MANY), smoothing=0.0)
    assert np.allclose(COLOURS.probabilities(scores + moved).mean(axis=0), np.bincount(targets) / MANY, atol=1e-3)


def test_rows_count_by_their_weights():
    scores, targets = np.zeros((2, 1)), np.array([0, 1])
    moved = intercept(MulticlassHead(("no", "yes")), scores, targets, np.array([10_000.0, 30_000.0]), smoothing=0.0)
    assert moved[0] == pytest.approx(np.log(3), abs=1e-3)


def test_of_a_number_it_is_the_mean_of_what_is_missing():
    random = np.random.default_rng(0)
    scores, targets = random.normal(size=(MANY, 1)), random.normal(size=MANY).astype(np.float32)
    moved = intercept(RegressionHead(0.0, 1.0), scores, targets, np.ones(MANY), smoothing=0.1)
    assert moved[0] == pytest.approx(targets.mean() - scores.mean(), abs=1e-4)


def test_a_label_that_is_never_there_is_not_sent_to_infinity():
    head = MultilabelHead(("here", "never"))
    targets = np.array([[1.0, 0.0]] * 5, np.float32)
    assert np.abs(intercept(head, np.zeros((5, 2)), targets, np.ones(5), smoothing=0.0)).max() < 2


@pytest.mark.parametrize("longest", [4, 4096])
def test_a_reader_then_gives_each_label_its_share_of_the_rows_it_learned_from(longest):
    work = job(Transformer(width=16, heads=2, feed_forward=32, longest=longest), label_smoothing=0.0)
    *_, learned = train_job(work, SingleProcess())
    reader = work.build()
    reader.load_state_dict({name: torch.from_numpy(array) for name, array in learned.weights.items()})
    with torch.no_grad():
        reader.scores.bias += 1.0  # whatever threw it off
    refit_intercept(reader, work)
    scores = read(reader, work.examples.sequences, longest)
    assert work.head.probabilities(scores)[:, 1].mean() == pytest.approx(work.examples.targets.mean(), abs=0.01)


def test_where_no_words_stand_beside_the_layers_it_stays():
    work = job(LSTM(width=16))
    reader = work.build()
    before = reader.scores.bias.detach().clone()
    refit_intercept(reader, work)
    assert torch.equal(reader.scores.bias, before)
