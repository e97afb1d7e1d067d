"""The intercept of a head, refitted without noise, and the slope of a regression, refitted on held-out rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.multilabel import MultilabelHead
from scansion.heads.regression import RegressionHead
from scansion.learning.description import FitDescription
from scansion.learning.document_job import DocumentJob, Examples, Start
from scansion.learning.document_network import logits_of
from scansion.learning.events import finished
from scansion.learning.loop import train_job
from scansion.learning.process_group import SingleProcess
from scansion.learning.recalibration import intercept, line, refit_intercept, refit_slope
from scansion.learning.training import Training
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

MANY = 50_000
COLOURS, YES_OR_NO = MulticlassHead(("blue", "green", "red")), MulticlassHead(("no", "yes"))
NUMBERS = RegressionHead(0.0, 1.0)
RECURRENT, ATTENTIVE = RNN(width=16), Transformer(width=16, heads=2, feed_forward=32)


def job_of(family, head, texts: list[str], targets: np.ndarray, **training) -> DocumentJob:
    """Training on texts that are held out too."""
    corpus = read_words(texts)
    vocabulary = Vocabulary.learn(corpus)
    examples = Examples(vocabulary.encode(corpus), targets, np.ones(len(texts)))
    description = FitDescription("classify", family, Training(**training), 0, len(texts), head=head)
    start = Start(len(vocabulary), len(vocabulary.char_ngrams), vocabulary.index(corpus.types))
    return DocumentJob(description, start, examples, examples)


# --- the intercept --------------------------------------------------------------------------------------------------


def labelled(family, rows: int = 400, **training) -> DocumentJob:
    """Texts with a word for each of two labels, one of them four times as frequent."""
    random = np.random.default_rng(0)
    labels = (random.random(rows) < 0.2).astype(np.int64)
    words = np.array([["good", "fine"], ["bad", "poor"]])[labels, random.integers(0, 2, rows)]
    texts = [f"{' '.join(random.choice(['a', 'the', 'of', 'it'], 6))} {word}" for word in words]
    return job_of(family, YES_OR_NO, texts, labels, max_epochs=3, target_steps=30, **training)


def test_the_intercept_makes_the_mean_probability_of_each_label_its_frequency():
    random = np.random.default_rng(0)
    targets = random.choice(3, MANY, p=[0.6, 0.3, 0.1])
    logits = random.normal(size=(MANY, 3)) + np.eye(3)[targets]
    moved = intercept(COLOURS, logits, targets, np.ones(MANY), smoothing=0.0)
    assert np.allclose(COLOURS.probabilities(logits + moved).mean(axis=0), np.bincount(targets) / MANY, atol=1e-3)


def test_rows_count_by_their_weights_for_the_intercept():
    logits, targets = np.zeros((2, 1)), np.array([0, 1])
    moved = intercept(YES_OR_NO, logits, targets, np.array([10_000.0, 30_000.0]), smoothing=0.0)
    assert moved[0] == pytest.approx(np.log(3), abs=1e-3)


def test_the_intercept_of_a_number_is_the_mean_of_what_is_missing():
    random = np.random.default_rng(0)
    outputs, targets = random.normal(size=(MANY, 1)), random.normal(size=MANY).astype(np.float32)
    moved = intercept(NUMBERS, outputs, targets, np.ones(MANY), smoothing=0.1)
    assert moved[0] == pytest.approx(targets.mean() - outputs.mean(), abs=1e-4)


def test_a_label_that_is_never_there_is_not_sent_to_infinity():
    head = MultilabelHead(("here", "never"))
    targets = np.array([[1.0, 0.0]] * 5, np.float32)
    assert np.abs(intercept(head, np.zeros((5, 2)), targets, np.ones(5), smoothing=0.0)).max() < 2


@pytest.mark.parametrize("max_length", [4, 4096])
def test_a_network_then_gives_each_label_its_share_of_the_rows_it_learned_from(max_length):
    job = labelled(replace(ATTENTIVE, max_length=max_length), label_smoothing=0.0)
    trained = finished(train_job)(job, SingleProcess())
    network = job.build()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in trained.weights.items()})
    with torch.no_grad():
        network.output.bias += 1.0  # whatever threw it off
    refit_intercept(network, job)
    logits = logits_of(network, job.examples.sequences, max_length)
    assert YES_OR_NO.probabilities(logits)[:, 1].mean() == pytest.approx(job.examples.targets.mean(), abs=0.01)


def test_where_the_head_does_not_see_the_word_sum_the_intercept_stays():
    job = labelled(LSTM(width=16))
    network = job.build()
    before = network.output.bias.detach().clone()
    refit_intercept(network, job)
    assert torch.equal(network.output.bias, before)


# --- the slope ------------------------------------------------------------------------------------------------------


def unanswered(family=RECURRENT, head=NUMBERS, rows: int = 300) -> DocumentJob:
    """Texts whose targets are all 0."""
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["fine", "dull", "slow", "bright"], 5)) for _ in range(rows)]
    return job_of(family, head, texts, np.zeros(rows, np.float32))


def test_the_line_is_that_of_least_squares():
    random = np.random.default_rng(0)
    outputs = random.normal(size=20_000)
    targets = 0.7 * outputs - 0.2 + random.normal(size=20_000)
    assert line(outputs, targets, np.ones(20_000)) == pytest.approx(np.polyfit(outputs, targets, 1), abs=1e-3)


def test_rows_count_by_their_weights_for_the_line():
    random = np.random.default_rng(0)
    outputs, targets = random.normal(size=50), random.normal(size=50)
    weights = random.integers(0, 4, 50)
    repeated = line(np.repeat(outputs, weights), np.repeat(targets, weights), np.ones(weights.sum()))
    assert line(outputs, targets, weights.astype(float)) == pytest.approx(repeated)


def test_a_row_or_none_at_all_is_not_believed():
    assert line(np.zeros(0), np.zeros(0), np.zeros(0)) == (1.0, 0.0)
    slope, offset = line(np.array([0.1]), np.array([5.0]), np.ones(1))
    assert 0.5 < slope < 2
    assert 0 < offset < 5


@pytest.mark.parametrize("max_length", [3, 4096])
def test_a_network_then_predicts_numbers_as_far_apart_as_those_of_the_held_out_rows(max_length):
    job = unanswered(replace(ATTENTIVE, max_length=max_length))
    network = job.build().eval()
    before = job.logits(network, job.examples.sequences)[:, 0]
    truth = (0.5 * before + 3.0).astype(np.float32)
    refit_slope(network, replace(job, held_out=replace(job.held_out, targets=truth, weights=np.full(300, 1e6))))
    found = logits_of(network.using(job.start.index), job.examples.sequences, max_length)[:, 0]
    assert np.allclose(found, truth, atol=1e-4)


def test_a_line_that_falls_is_not_believed():
    job = unanswered()
    network = job.build().eval()
    before = job.logits(network, job.examples.sequences)
    held_out = replace(job.held_out, targets=-before[:, 0], weights=np.full(300, 1e6))
    refit_slope(network, replace(job, held_out=held_out))
    assert np.array_equal(job.logits(network, job.examples.sequences), before)


def test_the_slope_of_labels_stays_as_it_is():
    job = unanswered(head=YES_OR_NO)
    network = job.build()
    before = {name: weights.clone() for name, weights in network.state_dict().items()}
    refit_slope(network, job)
    assert all(torch.equal(before[name], weights) for name, weights in network.state_dict().items())


def test_the_head_sees_the_word_sum_of_labels_and_for_numbers_only_of_pretrained_words():
    job = unanswered(ATTENTIVE)
    weights = {name: each.detach().numpy() for name, each in job.build().encoder.state_dict().items()}
    pretrained = replace(job, start=replace(job.start, weights=weights))
    assert [job.word_sum, pretrained.word_sum] == [False, True]
    assert unanswered(ATTENTIVE, YES_OR_NO).word_sum
