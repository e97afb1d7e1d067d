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

from scansion.families.lstm import LSTM
from scansion.families.transformer import Transformer
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.regression import RegressionHead
from scansion.layers.dropout import reseed
from scansion.learning import parallel, run
from scansion.learning.weight_average import WeightAverage
from scansion.learning.loop import SingleProcess, Step, Training
from scansion.learning.optimizer import Optimizer
from scansion.learning.workers import learn_together, processes_for
from scansion.learning.document_network import Examples, build_document_network, cut_windows, read
from scansion.learning.document_job import DocumentJob, windowed
from scansion.learning.run import PATIENCE, Epoch, TrainedWeights, BestWeights, train_job
from scansion.tasks.documents import DocumentClassifier
from scansion.tasks.fitting import _held_out
from scansion.text.batches import Sequences
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

FAMILY = LSTM(width=8, dropout=0.0, word_dropout=0.0)
TRAINING = Training(max_epochs=3, steps=12, min_batch_tokens=40, max_batch_tokens=40)
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
    return DocumentJob(
        family, HEAD, len(vocabulary), len(vocabulary.pieces), TRAINING, 0, vocabulary.spell(corpus.types), *parts
    )


# --- a run ----------------------------------------------------------------------------------------------------------


def test_a_run_tells_its_steps_its_epochs_and_at_last_what_it_learned():
    job = inputs()
    *events, learned = train_job(job, SingleProcess())
    steps = [event for event in events if isinstance(event, Step)]
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert isinstance(learned, TrainedWeights)
    assert (learned.steps, learned.epochs, learned.ended) == (len(steps), 3, "all epochs done")
    assert learned.tokens == 3 * job.examples.sequences.lengths.sum()
    fresh = build_document_network(job.family, job.words, job.pieces, job.head, 0.1, 0, job.word_sum)
    assert learned.weights.keys() == fresh.state_dict().keys()


def test_a_run_without_time_still_has_weights():
    job = inputs()
    (learned,) = train_job(job, SingleProcess(), deadline=0.0)
    assert (learned.steps, learned.ended) == (0, "the budget was spent")
    fresh = build_document_network(job.family, job.words, job.pieces, job.head, 0.1, 0, job.word_sum).state_dict()
    assert all(np.array_equal(learned.weights[name], weights.numpy()) for name, weights in fresh.items())


def test_a_run_stops_after_several_epochs_clearly_worse_than_the_best(monkeypatch):
    job = inputs()
    errors = iter([0.1, 0.0, *[1.0] * 20])
    monkeypatch.setattr(run.BestWeights, "look", scripted(errors))
    job = replace(job, training=replace(TRAINING, max_epochs=15))
    *events, learned = train_job(job, SingleProcess())
    assert sum(isinstance(event, Epoch) for event in events) == 2 + PATIENCE
    assert learned.epoch == 2
    assert "worse than the best" in learned.ended


def scripted(errors):
    def look(watch, epoch):
        error = next(errors)
        if error < watch.lowest:
            watch.lowest, watch.epoch = error, epoch
        return error, watch.epoch == epoch

    return look


def test_word_vectors_that_were_pretrained_move_a_tenth_as_far():
    job = inputs()
    fresh = job.build()
    learned = {name: weights.numpy() for name, weights in fresh.network.state_dict().items()}
    moved = []
    for reader in (fresh, replace(job, start=learned).build()):
        before = reader.network.embedding.words.weight.detach().clone()
        optimizer = Optimizer(reader, 0.0, 1e9)
        reseed(reader, 0, 0)
        reader.train().loss(job.batch(np.arange(40))).backward()
        optimizer.step(1e-3)
        moved.append((reader.network.embedding.words.weight.detach() - before).abs().max().item())
    assert moved[1] == pytest.approx(0.1 * moved[0], rel=0.01)


def test_a_short_run_and_one_of_small_batches_stay_in_one_process(monkeypatch):
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    assert [processes_for(Training(), tokens) for tokens in (5_000, 150_000, 6_000_000)] == [1, 1, 2]


def test_two_processes_learn_what_one_does(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    job = inputs()
    *_, alone = train_job(job, SingleProcess())
    *events, together = learn_together(job, 2, float("inf"))
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
    held, _ = _held_out(MulticlassHead(("a", "b")), targets, Training(), 0)
    assert len(held) == 2_000
    assert np.bincount(targets[held]).tolist() == [1_000, 1_000]


# --- the watch ------------------------------------------------------------------------------------------------------


def watched(*errors: list[float]) -> list[int]:
    """The epoch that is kept after each look, if epoch i has the given squared errors on the held-out rows."""
    reader = build_document_network(FAMILY, 5, 0, RegressionHead(0.0, 1.0), 0.0, 0, word_sum=False)
    answers = iter([(np.array(each), np.ones(len(each))) for each in errors])
    watch, kept = BestWeights(reader, WeightAverage(reader, 0.0), lambda: next(answers)), []
    for epoch, wrong in enumerate(errors, start=1):
        reader.scores.bias.data.fill_(epoch)
        mean, keeps = watch.look(epoch)
        assert mean == pytest.approx(np.mean(wrong))
        assert keeps == (watch.epoch == epoch)
        assert watch.weights["scores.bias"].tolist() == [watch.epoch]
        kept.append(watch.epoch)
    return kept


def test_the_latest_epoch_is_kept_whose_interval_of_one_standard_error_meets_that_of_the_lowest():
    # the second has mean 1 and standard error 1 / sqrt(4) = 0.5, and so has the last, whose mean is 1.9
    first, lowest = [4.0] * 4, [0.0, 0.0, 2.0, 2.0]
    assert watched(first, lowest, [1.4] * 4, [1.6] * 4, [0.9, 0.9, 2.9, 2.9]) == [1, 2, 3, 3, 5]


def test_two_more_of_fifty_rows_are_not_clearly_more_wrong_and_five_are():
    def wrong(rows: int) -> list[float]:
        return [1.0] * rows + [0.0] * (50 - rows)

    assert watched(wrong(2), wrong(4), wrong(7)) == [1, 2, 2]


def test_an_epoch_just_outside_is_not_kept_and_a_new_lowest_always_is():
    assert watched([1.0] * 4, [1.01] * 4, [1.0] * 4, [0.5] * 4) == [1, 1, 3, 4]


def test_kept_weights_are_a_copy():
    assert watched([1.0] * 3, [2.0] * 3, [3.0] * 3) == [1, 1, 1]


# --- long documents -------------------------------------------------------------------------------------------------


def rows_of(*lengths: int) -> Sequences:
    sizes = np.array(lengths)
    return Sequences(np.arange(sizes.sum(), dtype=np.int32), np.cumsum(sizes) - sizes, sizes)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(2, 20))
def test_windows_cover_every_token_overlap_by_at_least_half_and_stay_in_their_row(lengths, longest):
    sequences = rows_of(*lengths)
    windows, owners = cut_windows(sequences, longest)
    assert windows.lengths.max() <= longest
    for row, (start, length) in enumerate(zip(sequences.starts, sequences.lengths, strict=True)):
        mine = np.flatnonzero(owners == row)
        begins, ends = windows.starts[mine], windows.starts[mine] + windows.lengths[mine]
        assert (begins[0], ends[-1]) == (start, start + length)
        assert (ends[:-1] - begins[1:] >= longest - longest // 2).all()
        assert (np.diff(begins) > 0).all()


def test_windows_by_hand():
    windows, owners = cut_windows(rows_of(3, 11), 4)
    assert owners.tolist() == [0, 1, 1, 1, 1, 1]
    assert (windows.starts - np.array([0, *[3] * 5])).tolist() == [0, 0, 2, 4, 6, 7]
    assert windows.lengths.tolist() == [3, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("longest", [None, 11, 12])
def test_rows_that_fit_are_left_as_they_are(longest):
    sequences = rows_of(3, 11)
    windows, owners = cut_windows(sequences, longest)
    assert windows is sequences
    assert owners.tolist() == [0, 1]


def test_a_rows_windows_share_its_answer_and_its_weight():
    examples = Examples(rows_of(3, 11), np.array([0, 1]), np.array([2.0, 5.0]))
    cut = windowed(examples, 4)
    assert cut.targets.tolist() == [0, 1, 1, 1, 1, 1]
    assert cut.weights.tolist() == [2.0, *[1.0] * 5]
    assert windowed(examples, None) is examples


@pytest.fixture
def short_sighted():
    family = Transformer(width=8, heads=2, feed_forward=16, longest=4)
    return build_document_network(family, 30, 0, MulticlassHead(("a", "b", "c")), 0.0, 0, word_sum=True).eval()


def test_a_document_longer_than_longest_is_read_whole(short_sighted):
    ids = np.arange(3, 16, dtype=np.int32)
    whole = Sequences(ids, np.array([0, 0]), np.array([11, 3]))
    before = read(short_sighted, whole, longest=4)
    for place in range(11):
        changed = ids.copy()
        changed[place] = 20
        after = read(short_sighted, replace(whole, ids=changed), longest=4)
        assert np.abs(after[0] - before[0]).max() > 1e-4
        assert (np.abs(after[1] - before[1]).max() > 1e-4) == (place < 3)


def test_its_scores_are_the_mean_of_its_windows_weighted_by_their_lengths(short_sighted):
    ids = np.arange(3, 16, dtype=np.int32)
    found = read(short_sighted, Sequences(ids, np.array([0, 0]), np.array([11, 3])), longest=4)
    with torch.inference_mode():
        parts = [
            short_sighted(torch.tensor(ids[begin:end])[None].long(), torch.ones(1, end - begin, dtype=torch.bool))[0]
            for begin, end in [(0, 4), (2, 6), (4, 8), (6, 10), (7, 11), (0, 3)]
        ]
    expected = torch.stack([torch.stack(parts[:5]).mean(dim=0), parts[5]])
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_scores_come_in_the_order_given_whatever_the_batches(short_sighted):
    random = np.random.default_rng(0)
    lengths = random.integers(1, 5, 30)
    ids = random.integers(3, 30, lengths.sum()).astype(np.int32)
    starts = np.cumsum(lengths) - lengths
    together = read(short_sighted, Sequences(ids, starts, lengths))
    for row in range(30):
        alone = read(short_sighted, Sequences(ids, starts[[row]], lengths[[row]]))
        np.testing.assert_allclose(together[[row]], alone, atol=1e-5)
