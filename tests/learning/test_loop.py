"""The one loop, and what it asks of a model."""

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from scansion.errors import DivergedError
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.heads.multiclass import MulticlassHead
from scansion.layers.dropout import reseed
from scansion.learning import loop
from scansion.learning.document_job import Examples
from scansion.learning.document_network import DocumentNetwork, build_document_network
from scansion.learning.events import finished
from scansion.learning.loop import lr_schedule, train
from scansion.learning.optimizer import Optimizer
from scansion.learning.process_group import SingleProcess
from scansion.learning.training import LanguageTraining, Training
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

SMALL = {
    "rnn": RNN(width=8),
    "lstm": LSTM(width=8),
    "transformer": Transformer(width=8, heads=2, feed_forward=16, max_length=32),
}
RECIPE = Training()
ROWS = 12


class Slope(nn.Module):
    """The least the loop can be given: one weight, pulled down by every row."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.poisoned: set[int] = set()
        self.rows: list[list[int]] = []

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        self.rows.append(rows.tolist())
        wrong = float("nan") if self.poisoned & set(rows.tolist()) else 1.0
        return self.weight.sum() * wrong * len(rows)


def plan(epoch: int) -> list[np.ndarray]:
    return [np.arange(begin, begin + 4) for begin in range(0, ROWS, 4)]


def optimizer_of(model: nn.Module) -> Optimizer:
    return Optimizer(model, RECIPE.weight_decay, RECIPE.max_grad_norm)


def run(model: nn.Module, epochs: int = 2, **options):
    return train(
        model, optimizer_of(model), plan, lambda rows: rows, np.ones(ROWS), np.full(ROWS, 5), RECIPE.warmup,
        **{"epochs": epochs, "learning_rate": 0.1, "seed": 0, "group": SingleProcess(), **options},
    )  # fmt: skip


def ticking(step: float) -> SimpleNamespace:
    """A clock that moves on whenever it is looked at."""
    now = iter(np.arange(0, 1e6, step))
    return SimpleNamespace(monotonic=lambda: float(next(now)))


def test_the_loop_is_a_generator_that_does_nothing_until_it_is_asked():
    model = Slope()
    steps = run(model)
    assert model.rows == []
    first = next(steps)
    assert (first.number, first.epoch, first.tokens, first.ends_epoch) == (1, 0, 20, False)
    assert len(model.rows) == 1
    moved = model.weight.item()
    steps.close()  # as a break out of a for loop does
    assert model.weight.item() == moved < 0


def test_every_step_says_where_it_stands(monkeypatch):
    seen = rates(monkeypatch)
    steps = list(run(Slope()))
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6]
    assert [step.epoch for step in steps] == [0, 0, 0, 1, 1, 1]
    assert [step.ends_epoch for step in steps] == [False, False, True] * 2
    assert [step.seconds for step in steps] == sorted(step.seconds for step in steps)
    assert [step.learning_rate for step in steps] == seen
    assert [step.progress for step in steps] == pytest.approx([i / 6 for i in range(6)])


def test_milestones_are_the_ends_of_epochs_and_at_most_some_thousand_round_steps():
    step = next(run(Slope()))
    numbers = [number for number in range(1, 200_001) if replace(step, number=number).milestone]
    assert numbers[:999] == list(range(1, 1_000))
    assert numbers[999:1_900] == list(range(1_000, 10_001, 10))
    assert numbers[-2:] == [199_000, 200_000]
    assert len(numbers) < 3_000
    assert replace(step, number=199_001, ends_epoch=True).milestone


def test_the_first_reported_loss_is_the_mean_of_a_row():
    model = Slope()
    model.weight.data += 3
    assert next(run(model)).loss == pytest.approx(3)


def test_the_loop_puts_the_model_back_to_training_after_each_look():
    model, modes = Slope(), []
    for _ in run(model):
        modes.append(model.training)
        model.eval()
    assert modes == [True] * 6
    assert model.training


@pytest.mark.parametrize(
    ("progress", "expected"), [(0.05, 0.5), (0.1, 1.0), (0.55, 0.5), (0.99, 0.1 / 9), (1.0, 0.0)]
)
def test_the_learning_rate_rises_then_falls_in_straight_lines(progress, expected):
    assert lr_schedule(progress, 0.1) == pytest.approx(expected)


def test_the_very_first_step_is_small_and_not_nought():
    assert 0 < lr_schedule(0.0, 0.1) < 0.01


def rates(monkeypatch) -> list[float]:
    """The learning rate of every optimizer step from now on."""
    seen, step = [], Optimizer.step
    monkeypatch.setattr(Optimizer, "step", lambda self, rate: (seen.append(rate), step(self, rate)))
    return seen


def test_a_deadline_ends_a_run_early_with_the_schedule_near_zero(monkeypatch):
    seen = rates(monkeypatch)
    monkeypatch.setattr(loop, "time", ticking(0.5))  # which is looked at before and after a step
    steps = list(run(Slope(), epochs=1000, deadline=55.0))
    assert len(steps) == 55
    assert steps[-1].progress == pytest.approx(54.5 / 55)
    assert seen[-1] < 0.03 * max(seen)
    assert max(seen) == pytest.approx(0.1)


def test_a_deadline_far_away_changes_nothing(monkeypatch):
    monkeypatch.setattr(loop, "time", ticking(1.0))
    assert [step.progress for step in run(Slope(), deadline=1e5)] == pytest.approx([i / 6 for i in range(6)], abs=1e-4)


def job_of(training: Training, tokens: int) -> SimpleNamespace:
    """Rows of so many tokens, in three batches."""
    return SimpleNamespace(
        training=training, seed=0, lengths=np.full(ROWS, tokens), weights=np.ones(ROWS), learning_rate=0.1,
        build=Slope, batch=lambda rows: rows, errors=lambda model: (np.ones(2), np.ones(2)),
        plan=lambda batch_tokens, epoch: plan(epoch),
    )


@pytest.mark.parametrize(
    ("ticks", "untrained"), [(0.0, "its first epoch was not done after 0 steps"), (12.0, ""), (1e6, "")]
)
def test_a_run_of_a_job_says_whether_its_first_epoch_was_done(monkeypatch, ticks, untrained):
    job = job_of(Training(min_epochs=3, max_epochs=3, min_batch_tokens=20, max_batch_tokens=20), 5)
    monkeypatch.setattr(loop, "time", ticking(1.0))
    trained = finished(loop.train_job)(job, SingleProcess(), ticks)
    assert trained.untrained == untrained
    assert trained.cut_short == (ticks < 1e6)
    assert trained.ended.startswith("all epochs done" if ticks == 1e6 else "the budget was spent")


@pytest.mark.parametrize(
    ("tokens", "untrained"), [(1_000, "its first epoch was not done after 2 steps"), (200_000, "")]
)
def test_of_a_long_text_a_part_of_the_first_epoch_is_enough(monkeypatch, tokens, untrained):
    monkeypatch.setattr(loop, "time", ticking(1.0))
    trained = finished(loop.train_job)(job_of(LanguageTraining(), tokens), SingleProcess(), 5.0)
    assert (trained.steps, trained.epoch, trained.cut_short) == (2, 1, True)
    assert trained.untrained == untrained


def test_a_deadline_that_has_passed_takes_no_step():
    model = Slope()
    assert list(run(model, deadline=time.monotonic() - 1)) == []
    assert model.weight.item() == 0


def test_a_loss_that_is_not_a_number_names_its_rows_before_any_weight_has_moved():
    model = Slope()
    model.poisoned = {6}
    steps = run(model)
    next(steps)
    before = model.weight.item()
    with pytest.raises(DivergedError, match=r"became nan at step 1 \(rows 4, 5, 6, 7\)"):
        next(steps)
    assert model.weight.item() == before


def test_many_rows_are_not_all_named():
    model = Slope()
    model.poisoned = {3}
    whole = train(
        model, optimizer_of(model), lambda epoch: [np.arange(ROWS)], lambda rows: rows, np.ones(ROWS), np.ones(ROWS),
        RECIPE.warmup, epochs=1, learning_rate=0.1, seed=0, group=SingleProcess(),
    )  # fmt: skip
    with pytest.raises(DivergedError, match=r"rows 0, 1, 2, 3, 4, 5, 6, 7 …\)"):
        next(whole)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_processes_share_every_batch_without_asking_each_other(size):
    taken = []
    for rank in range(size):
        model = Slope()
        group = SimpleNamespace(rank=rank, size=size, share=lambda model, loss, progress: (loss, progress))
        for _ in run(model, epochs=1, group=group):
            pass
        taken += [row for rows in model.rows for row in rows]
    assert sorted(taken) == list(range(ROWS))


# --- the families under it ------------------------------------------------------------------------------------------

TEXTS = ["the sun is up", "the rain is back", "sun and warmth", "rain and wind and rain", "a warm sun", "a cold rain"]
LABELS = np.array([1, 0, 1, 0, 1, 0])


def small_network(name: str, smoothing: float = 0.0) -> tuple[DocumentNetwork, Examples]:
    corpus = read_words(TEXTS)
    vocabulary = Vocabulary.learn(corpus)
    family = SMALL[name]
    network = build_document_network(
        family, len(vocabulary), len(vocabulary.char_ngrams), MulticlassHead(("rain", "sun")), smoothing, 0,
        word_sum=family.word_sum == "always",
    )
    network.use(vocabulary.index(corpus.types))
    return network, Examples(vocabulary.encode(corpus), LABELS, np.ones(len(TEXTS)))


@pytest.mark.parametrize("name", list(SMALL))
def test_every_parameter_of_every_family_gets_a_gradient(name):
    network, examples = small_network(name)
    network.train()
    reseed(network, 0, 0)
    network.loss(examples.batch(np.arange(len(TEXTS)))).backward()
    silent = [name for name, weights in network.named_parameters() if weights.grad is None or not weights.grad.any()]
    assert silent == []


@pytest.mark.parametrize("name", list(SMALL))
def test_one_batch_can_be_memorised(name):
    network, examples = small_network(name)
    for layer in network.modules():
        if hasattr(layer, "threshold"):
            layer.threshold = 0
    rows = np.arange(len(TEXTS))
    steps = train(
        network, optimizer_of(network), lambda epoch: [rows], examples.batch, examples.weights,
        examples.sequences.lengths, RECIPE.warmup,
        epochs=150, learning_rate=0.03, seed=0, group=SingleProcess(),
    )  # fmt: skip
    *_, last = steps
    assert last.loss < 0.02


@pytest.mark.parametrize("name", list(SMALL))
def test_the_same_seed_learns_the_same_weights_with_dropout_on(name):
    learned = []
    for _ in range(2):
        torch.rand(3)  # torch's own random state is no part of it
        network, examples = small_network(name)
        for _ in train(
            network, optimizer_of(network), lambda epoch: [np.arange(6)], examples.batch, examples.weights,
            examples.sequences.lengths, RECIPE.warmup,
            epochs=5, learning_rate=0.03, seed=0, group=SingleProcess(),
        ):  # fmt: skip
            pass
        learned.append(network.state_dict())
    assert all(torch.equal(learned[0][key], learned[1][key]) for key in learned[0])


def test_a_small_corpus_is_read_more_often_in_smaller_batches():
    assert [RECIPE.epochs(tokens) for tokens in (0, 10**4, 4 * 10**6, 10**9)] == [8, 8, 5, 3]
    assert [RECIPE.batch_tokens(tokens) for tokens in (0, 10**4, 10**5, 10**9)] == [100, 100, 800, 4_000]
