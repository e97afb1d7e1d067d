"""A run of the loop, watched; the same run in two processes; and documents longer than a family can read at once."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from generators import events_and_result
from scansion.families.lstm import LSTM
from scansion.families.transformer import Transformer
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.regression import RegressionHead
from scansion.layers.dropout import reseed
from scansion.learning import loop, workers
from scansion.learning.description import FitDescription
from scansion.learning.document_job import DocumentJob, Examples, Start
from scansion.learning.document_network import build_document_network, cut_windows, logits_of
from scansion.learning.events import Epoch, Step
from scansion.learning.job import TrainedWeights
from scansion.learning.loop import PATIENCE, train_job
from scansion.learning.optimizer import Optimizer
from scansion.learning.process_group import SingleProcess
from scansion.learning.training import Training
from scansion.learning.weight_average import BestWeights, WeightAverage
from scansion.learning.workers import processes_for, train_in_workers
from scansion.tasks.classifier import DocumentClassifier
from scansion.tasks.convex_fit import TrainingData
from scansion.tasks.gradient_fit import document_job
from scansion.text.batches import Sequences
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

pytestmark = pytest.mark.usefixtures("warm_processes")

FAMILY = LSTM(width=8, dropout=0.0, word_dropout=0.0)
TRAINING = Training(max_epochs=3, target_steps=12, min_batch_tokens=40, max_batch_tokens=40)
HEAD = MulticlassHead(("blue", "red"))


def made(rows: int, seed: int) -> tuple[list[str], np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, rows)
    filler = [" ".join(random.choice(["a", "the", "of", "thing", "things", "old"], 5)) for _ in labels]
    return [f"{words} {'red' if label else 'blue'}" for words, label in zip(filler, labels, strict=True)], labels


def inputs(family=FAMILY):
    texts, labels = made(60, 0)
    corpus = read_words(texts)
    vocabulary = Vocabulary.learn(corpus)
    sequences = vocabulary.encode(corpus)
    parts = []
    for rows in (np.arange(40), np.arange(40, 60)):
        part = replace(sequences, starts=sequences.starts[rows], lengths=sequences.lengths[rows])
        parts.append(Examples(part, labels[rows], np.ones(len(rows))))
    description = FitDescription("classify", family, TRAINING, 0, len(texts), head=HEAD)
    start = Start(len(vocabulary), len(vocabulary.char_ngrams), vocabulary.index(corpus.types))
    return DocumentJob(description, start, *parts)


def fresh_weights(job: DocumentJob) -> dict[str, np.ndarray]:
    """Those that a network has by its seed."""
    start = job.start
    network = build_document_network(job.family, start.words, start.char_ngrams, HEAD, 0.1, 0, job.word_sum)
    return {name: weights.numpy() for name, weights in network.state_dict().items()}


# --- a run ----------------------------------------------------------------------------------------------------------


def test_a_run_reports_its_steps_and_its_epochs_and_returns_what_it_learned():
    job = inputs()
    events, trained = events_and_result(train_job(job, SingleProcess()))
    steps = [event for event in events if isinstance(event, Step)]
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert [epoch.step for epoch in epochs] == [step.number for step in steps if step.ends_epoch]
    assert isinstance(trained, TrainedWeights)
    assert (trained.steps, trained.epochs, trained.ended) == (len(steps), 3, "all epochs done")
    assert trained.tokens == 3 * job.examples.sequences.lengths.sum()
    assert trained.weights.keys() == fresh_weights(job).keys()


def test_a_run_without_time_still_has_weights():
    job = inputs()
    events, trained = events_and_result(train_job(job, SingleProcess(), deadline=0.0))
    assert [event.name for event in events] == ["stage"]
    assert (trained.steps, trained.ended) == (0, "the budget was spent before the first epoch was done")
    assert all(np.array_equal(trained.weights[name], weights) for name, weights in fresh_weights(job).items())


def test_a_run_stops_after_several_epochs_clearly_worse_than_the_best(monkeypatch):
    job = inputs()
    errors = iter([0.1, 0.0, *[1.0] * 20])
    monkeypatch.setattr(loop.BestWeights, "judge", scripted(errors))
    job = replace(job, description=replace(job.description, training=replace(TRAINING, max_epochs=15)))
    events, trained = events_and_result(train_job(job, SingleProcess()))
    assert sum(isinstance(event, Epoch) for event in events) == 2 + PATIENCE
    assert trained.epoch == 2
    assert "worse than the best" in trained.ended


def scripted(errors):
    def judge(best, epoch):
        error = next(errors)
        if error < best.lowest:
            best.lowest, best.epoch = error, epoch
        return error, best.epoch == epoch

    return judge


def test_word_vectors_that_were_pretrained_move_a_tenth_as_far():
    job = inputs()
    fresh = job.build()
    learned = {name: weights.numpy() for name, weights in fresh.encoder.state_dict().items()}
    moved = []
    for network in (fresh, replace(job, start=replace(job.start, weights=learned)).build()):
        before = network.encoder.embedding.words.weight.detach().clone()
        optimizer = Optimizer(network, 0.0, 1e9)
        reseed(network, 0, 0)
        network.train().loss(job.batch(np.arange(40))).backward()
        optimizer.step(1e-3)
        moved.append((network.encoder.embedding.words.weight.detach() - before).abs().max().item())
    assert moved[1] == pytest.approx(0.1 * moved[0], rel=0.01)


def test_a_short_run_and_one_of_small_batches_stay_in_one_process(monkeypatch):
    monkeypatch.setattr(workers, "cores", lambda: 2)
    assert [processes_for(Training(), tokens) for tokens in (5_000, 150_000, 6_000_000)] == [1, 1, 2]


def test_two_processes_learn_what_one_does(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    job = inputs()
    _, alone = events_and_result(train_job(job, SingleProcess()))
    events, together = events_and_result(train_in_workers(job, 2))
    assert (together.steps, together.tokens, together.epoch, together.ended) == (
        alone.steps, alone.tokens, alone.epoch, alone.ended
    )  # fmt: skip
    assert [event.number for event in events if isinstance(event, Epoch)] == [1, 2, 3]
    assert together.weights.keys() == alone.weights.keys()
    for name, weights in alone.weights.items():
        np.testing.assert_allclose(together.weights[name], weights, atol=1e-3, err_msg=name)


def test_threads_that_read_with_one_model_do_not_disturb_each_other():
    texts, labels = made(60, 0)
    model = DocumentClassifier(FAMILY, training=TRAINING, processes=1, random_state=0).fit(texts, labels.tolist())
    groups = [[f"{text} {word} unheard" for text in texts] for word in ("alpha", "beta", "gamma delta")] * 4
    alone = [model.decision_function(group) for group in groups]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(alone, pool.map(model.decision_function, groups), strict=True):
            np.testing.assert_array_equal(one, other)


def test_rows_kept_back_are_drawn_from_all_of_them():
    targets = np.repeat([0, 1], 30_000)  # a folder of labels, one after the other
    sequences = rows_of(*np.ones(len(targets), int))
    description = FitDescription("classify", FAMILY, Training(), 0, len(targets), head=MulticlassHead(("a", "b")))
    job, held, _ = document_job(TrainingData(None, targets, np.ones(len(targets))), description, sequences, Start(5))
    assert len(held) == 2_000
    assert np.bincount(targets[held]).tolist() == [1_000, 1_000]
    assert np.array_equal(job.held_out.sequences.starts, held)
    assert np.array_equal(job.examples.sequences.starts, np.setdiff1d(np.arange(60_000), held))


# --- the best weights -----------------------------------------------------------------------------------------------


def judged(*errors: list[float]) -> list[int]:
    """The epoch that is kept after each judgement, if epoch i has the given squared errors on the held-out rows."""
    network = build_document_network(FAMILY, 5, 0, RegressionHead(0.0, 1.0), 0.0, 0, word_sum=False)
    answers = iter([(np.array(each), np.ones(len(each))) for each in errors])
    best, kept = BestWeights(network, WeightAverage(network, 0.0), lambda: next(answers)), []
    for epoch, wrong in enumerate(errors, start=1):
        network.output.bias.data.fill_(epoch)
        mean, keeps = best.judge(epoch)
        assert mean == pytest.approx(np.mean(wrong))
        assert keeps == (best.epoch == epoch)
        assert best.weights["output.bias"].tolist() == [best.epoch]
        kept.append(best.epoch)
    return kept


def test_the_latest_epoch_is_kept_whose_interval_of_one_standard_error_meets_that_of_the_lowest():
    # the second has mean 1 and standard error 1 / sqrt(4) = 0.5, and so has the last, whose mean is 1.9
    first, lowest = [4.0] * 4, [0.0, 0.0, 2.0, 2.0]
    assert judged(first, lowest, [1.4] * 4, [1.6] * 4, [0.9, 0.9, 2.9, 2.9]) == [1, 2, 3, 3, 5]


def test_two_more_of_fifty_rows_are_not_clearly_more_wrong_and_five_are():
    def wrong(rows: int) -> list[float]:
        return [1.0] * rows + [0.0] * (50 - rows)

    assert judged(wrong(2), wrong(4), wrong(7)) == [1, 2, 2]


def test_an_epoch_just_outside_is_not_kept_and_a_new_lowest_always_is():
    assert judged([1.0] * 4, [1.01] * 4, [1.0] * 4, [0.5] * 4) == [1, 1, 3, 4]


def test_kept_weights_are_a_copy():
    assert judged([1.0] * 3, [2.0] * 3, [3.0] * 3) == [1, 1, 1]


# --- long documents -------------------------------------------------------------------------------------------------


def rows_of(*lengths: int) -> Sequences:
    sizes = np.array(lengths)
    return Sequences(np.arange(sizes.sum(), dtype=np.int32), np.cumsum(sizes) - sizes, sizes)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(2, 20))
def test_windows_cover_every_token_overlap_by_at_least_half_and_stay_in_their_row(lengths, max_length):
    sequences = rows_of(*lengths)
    windows, owners = cut_windows(sequences, max_length)
    assert windows.lengths.max() <= max_length
    for row, (start, length) in enumerate(zip(sequences.starts, sequences.lengths, strict=True)):
        mine = np.flatnonzero(owners == row)
        begins, ends = windows.starts[mine], windows.starts[mine] + windows.lengths[mine]
        assert (begins[0], ends[-1]) == (start, start + length)
        assert (ends[:-1] - begins[1:] >= max_length - max_length // 2).all()
        assert (np.diff(begins) > 0).all()


def test_windows_by_hand():
    windows, owners = cut_windows(rows_of(3, 11), 4)
    assert owners.tolist() == [0, 1, 1, 1, 1, 1]
    assert (windows.starts - np.array([0, *[3] * 5])).tolist() == [0, 0, 2, 4, 6, 7]
    assert windows.lengths.tolist() == [3, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("max_length", [None, 11, 12])
def test_rows_that_fit_are_left_as_they_are(max_length):
    sequences = rows_of(3, 11)
    windows, owners = cut_windows(sequences, max_length)
    assert windows is sequences
    assert owners.tolist() == [0, 1]


def test_a_rows_windows_share_its_answer_and_its_weight():
    examples = Examples(rows_of(3, 11), np.array([0, 1]), np.array([2.0, 5.0]))
    cut = examples.windowed(4)
    assert cut.targets.tolist() == [0, 1, 1, 1, 1, 1]
    assert cut.weights.tolist() == [2.0, *[1.0] * 5]
    assert examples.windowed(None) is examples


@pytest.fixture
def short_sighted():
    family = Transformer(width=8, heads=2, feed_forward=16, max_length=4)
    return build_document_network(family, 30, 0, MulticlassHead(("a", "b", "c")), 0.0, 0, word_sum=True).eval()


def test_a_document_longer_than_max_length_is_read_whole(short_sighted):
    ids = np.arange(3, 16, dtype=np.int32)
    whole = Sequences(ids, np.array([0, 0]), np.array([11, 3]))
    before = logits_of(short_sighted, whole, max_length=4)
    for place in range(11):
        changed = ids.copy()
        changed[place] = 20
        after = logits_of(short_sighted, replace(whole, ids=changed), max_length=4)
        assert np.abs(after[0] - before[0]).max() > 1e-4
        assert (np.abs(after[1] - before[1]).max() > 1e-4) == (place < 3)


def test_its_logits_are_the_mean_of_its_windows_weighted_by_their_lengths(short_sighted):
    ids = np.arange(3, 16, dtype=np.int32)
    found = logits_of(short_sighted, Sequences(ids, np.array([0, 0]), np.array([11, 3])), max_length=4)
    with torch.inference_mode():
        parts = [
            short_sighted(torch.tensor(ids[begin:end])[None].long(), torch.ones(1, end - begin, dtype=torch.bool))[0]
            for begin, end in [(0, 4), (2, 6), (4, 8), (6, 10), (7, 11), (0, 3)]
        ]
    expected = torch.stack([torch.stack(parts[:5]).mean(dim=0), parts[5]])
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_logits_come_in_the_order_given_whatever_the_batches(short_sighted):
    random = np.random.default_rng(0)
    lengths = random.integers(1, 5, 30)
    ids = random.integers(3, 30, lengths.sum()).astype(np.int32)
    starts = np.cumsum(lengths) - lengths
    together = logits_of(short_sighted, Sequences(ids, starts, lengths))
    for row in range(30):
        alone = logits_of(short_sighted, Sequences(ids, starts[[row]], lengths[[row]]))
        np.testing.assert_allclose(together[[row]], alone, atol=1e-5)
