"""A sequence-to-sequence model learns a mapping, in one process and in two, and goes on as if it had not stopped."""

import itertools
import os
import sys

import numpy as np
import pytest
import torch

from generators import events_and_result
from scansion.decoding.beam import beam_search
from scansion.errors import InterruptedRunError
from scansion.families.gru_encoder_decoder import GRUEncoderDecoder
from scansion.families.recurrent_encoder_decoder import LSTMEncoderDecoder, RNNEncoderDecoder
from scansion.families.sequence_to_sequence import SequenceToSequence
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder
from scansion.learning.checkpoints import Checkpoints, StopRequest
from scansion.learning.description import FitDescription
from scansion.learning.events import Epoch, Step, finished
from scansion.learning.job import TrainedWeights
from scansion.learning.loop import train_job
from scansion.learning.process_group import SingleProcess
from scansion.learning.seq2seq import batch_of, build_seq2seq, negative_log_likelihoods, with_weights
from scansion.learning.seq2seq_job import Seq2SeqJob
from scansion.learning.training import TranslationTraining
from scansion.learning.workers import train_in_workers
from scansion.storage.run_folder import RunFolder
from scansion.text.pairs import Pairs
from scansion.text.subword_tokenizer import BEGIN, END, SubwordTokenizer

pytestmark = pytest.mark.usefixtures("warm_processes")

FAMILIES = {
    "transformer": TransformerEncoderDecoder(width=16, heads=2, layers=1, feed_forward=32, max_length=32),
    "lstm": LSTMEncoderDecoder(width=16, hidden_size=16),
    "gru": GRUEncoderDecoder(width=16, hidden_size=16),
    "rnn": RNNEncoderDecoder(width=16, hidden_size=16),
    "lstm-without-attention": SequenceToSequence(width=16, hidden_size=16),
}
WORDS = ["one", "two", "three", "four", "five", "six"]
SOURCES = [" ".join(words) for words in itertools.product(WORDS, repeat=3)]
TARGETS = [" ".join(reversed(source.split())) for source in SOURCES]
SUBWORDS = SubwordTokenizer.learn(SOURCES, most=300)
PAIRS = Pairs(SUBWORDS.encode(SOURCES), SUBWORDS.encode(TARGETS))
TRAINING = TranslationTraining(min_epochs=2, max_epochs=2, min_batch_tokens=120, max_batch_tokens=120)


def described(family, training: TranslationTraining = TRAINING) -> FitDescription:
    return FitDescription("translate", family, training, 0, len(PAIRS))


def job_of(name: str) -> Seq2SeqJob:
    rows = np.random.default_rng(0).permutation(len(PAIRS))
    return Seq2SeqJob(described(FAMILIES[name]), len(SUBWORDS), PAIRS.only(rows[20:]), PAIRS.only(rows[:20]))


def same(one: TrainedWeights, other: TrainedWeights) -> bool:
    return all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights | other.weights)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_an_epochs_error_is_the_negative_log_likelihood_of_the_held_out_targets(name):
    job = job_of(name)
    events, trained = events_and_result(train_job(job, SingleProcess()))
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert [epoch.number for epoch in epochs] == [1, 2]
    model = build_seq2seq(FAMILIES[name], job.tokens, TRAINING.label_smoothing, 1)
    model.load_state_dict({key: torch.from_numpy(array) for key, array in trained.weights.items()})
    mean = negative_log_likelihoods(model, job.held_out).sum() / job.held_out.target.lengths.sum()
    assert mean == pytest.approx(epochs[trained.epoch - 1].held_out_error, rel=1e-5)
    assert epochs[1].training_loss < epochs[0].training_loss


@pytest.mark.parametrize("name", list(FAMILIES))
def test_the_negative_log_likelihood_of_a_row_does_not_depend_on_its_batch(name):
    model = build_seq2seq(FAMILIES[name], len(SUBWORDS), TRAINING.label_smoothing, 0).eval()
    together = negative_log_likelihoods(model, PAIRS.only(np.arange(9)))
    alone = [float(negative_log_likelihoods(model, PAIRS.only(np.array([row])))[0]) for row in range(9)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


@pytest.mark.parametrize("name", ["transformer", "lstm"])
def test_a_run_stopped_after_any_step_ends_as_if_it_had_not_been(name, tmp_path):
    whole = finished(train_job)(job_of(name), SingleProcess())
    for stop_after in (1, 7, 10**9):
        with RunFolder.begin(tmp_path / name, {"family": name}, resume=True) as run:
            checkpoints = Checkpoints(run, 1e9, StopRequest())

            def stop(event, checkpoints=checkpoints, stop_after=stop_after):
                if isinstance(event, Step) and event.number == stop_after:
                    checkpoints.stop.ask()

            try:
                _, trained = events_and_result(train_job(job_of(name), SingleProcess(), checkpoints=checkpoints), stop)
            except InterruptedRunError:
                assert stop_after < 10**9
                continue
            assert same(trained, whole)


def test_two_processes_learn_what_one_does(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    alone = finished(train_job)(job_of("transformer"), SingleProcess())
    together = finished(train_in_workers)(job_of("transformer"), 2)
    assert (together.steps, together.tokens, together.epoch) == (alone.steps, alone.tokens, alone.epoch)
    for name, weights in alone.weights.items():
        np.testing.assert_allclose(together.weights[name], weights, atol=0.05, err_msg=name)


def test_every_parameter_gets_a_gradient():
    for family in FAMILIES.values():
        model = build_seq2seq(family, len(SUBWORDS), TRAINING.label_smoothing, 0).eval()
        model.loss(batch_of(PAIRS, np.arange(6))).backward()
        dead = [name for name, each in model.named_parameters() if each.grad is None or not each.grad.abs().sum()]
        assert not dead


def test_the_transformer_learns_to_turn_words_around():
    training = TranslationTraining(
        min_epochs=100, max_epochs=100, min_batch_tokens=250, max_batch_tokens=250, label_smoothing=0.0
    )
    family = TransformerEncoderDecoder(
        width=32, heads=4, layers=2, feed_forward=64, max_length=32, dropout=0.1, learning_rate=4e-3
    )
    rows = np.random.default_rng(0).permutation(len(PAIRS))
    job = Seq2SeqJob(described(family, training), len(SUBWORDS), PAIRS.only(rows[40:]), PAIRS.only(rows[:40]))
    trained = finished(train_job)(job, SingleProcess())
    model = with_weights(build_seq2seq(family, job.tokens, TRAINING.label_smoothing, 0), trained.weights)
    with torch.inference_mode():
        batch = batch_of(PAIRS, rows[:40])
        most = torch.full((40,), 20)
        state = model.network.init_state(batch.source, batch.mask, 20)
        found = beam_search(model.step, state, 40, 4, most, BEGIN, END)
    answers = SUBWORDS.decode([hypotheses[0].tokens for hypotheses in found])
    assert np.mean([answer == TARGETS[row] for answer, row in zip(answers, rows, strict=False)]) >= 0.99
