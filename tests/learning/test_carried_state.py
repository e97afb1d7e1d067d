"""The state that is carried between batches: windows follow one another, and are read as their document is."""

from itertools import pairwise

import numpy as np
import pytest
import torch

import scansion
from scansion.errors import InterruptedRunError
from scansion.families.recurrent_language_model import GRULanguageModel, LSTMLanguageModel, RNNLanguageModel
from scansion.learning.checkpointing import Checkpointing
from scansion.learning.description import FitDescription
from scansion.learning.events import Step
from scansion.learning.language_job import LanguageJob
from scansion.learning.language_network import windows_of
from scansion.learning.training import LanguageTraining
from scansion.randomness import stream
from scansion.text.batches import Sequences

VOCABULARY, WINDOW = 11, 8
FAMILIES = {
    kind.__name__: kind(width=8, hidden_size=12, layers=2, window=WINDOW, dropout=0.0)
    for kind in (RNNLanguageModel, GRULanguageModel, LSTMLanguageModel)
}
LENGTHS = [2, 3, 9, 10, 40, 41, 100, 7, 300, 25] * 3


def job(family, lengths=LENGTHS, tokens=64):
    lengths = np.array(lengths)
    ids = stream(0, "documents").integers(3, VOCABULARY, int(lengths.sum())).astype(np.int32)
    documents = Sequences(ids, np.cumsum(lengths) - lengths, lengths)
    windows, _ = windows_of(documents, WINDOW, family.stride)
    training = LanguageTraining(min_batch_tokens=tokens, max_batch_tokens=tokens)
    described = FitDescription("language", family, training, 0, len(lengths))
    return LanguageJob(described, VOCABULARY, windows, windows, family)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_every_window_is_read_once_and_right_after_the_one_it_follows_at_the_same_place(processes):
    run = job(FAMILIES["LSTMLanguageModel"])
    ends = run.windows.starts + run.windows.lengths - 1
    for epoch in range(2):
        plan = run.plan(64, epoch)
        assert sorted(np.concatenate(plan).tolist()) == list(range(len(run.windows)))
        assert all(len(rows) == 1 or run.lengths[rows].max() * len(rows) <= 64 for rows in plan)
        for rank in range(processes):
            before = np.zeros(0, np.int64)
            for rows in plan:
                batch = run.batch(rows)
                mine = rows[rank::processes]
                for place, row in enumerate(mine):
                    if batch.goes_on[rank::processes][place]:
                        assert before[place] == row - 1
                        assert ends[row - 1] == run.windows.starts[row]
                before = mine
    assert not np.array_equal(run.plan(64, 0)[0], run.plan(64, 1)[0])


def test_a_batch_ends_only_where_the_next_one_goes_on_with_nothing():
    run = job(FAMILIES["LSTMLanguageModel"])
    batches = [run.batch(rows) for rows in run.plan(64, 0)]
    for batch, following in pairwise(batches):
        assert batch.ends == (not following.goes_on.any())
    assert batches[-1].ends


@pytest.mark.parametrize("name", FAMILIES)
def test_windows_in_turn_have_the_loss_of_what_they_are_windows_of(name):
    run = job(FAMILIES[name], lengths=[700, 30, 500], tokens=16)
    model, windows, stretches = run.build(), run.windows, run.stretches
    assert stretches.counts.max() > 4
    whole = 0.0
    for first, count in zip(stretches.firsts, stretches.counts, strict=True):
        last = first + count - 1
        text = windows.ids[windows.starts[first] : windows.starts[last] + windows.lengths[last]]
        text = torch.from_numpy(text).long()
        with torch.no_grad():
            log_probs = model.head.log_probs(model.network(text[None, :-1])[0], model.network.output_embedding)
        whole -= float(log_probs.gather(1, text[1:, None]).sum())
    assert model.carries_on is False
    in_turn = sum(float(model.loss(run.batch(rows)).detach()) for rows in run.plan(16, 0))
    assert in_turn == pytest.approx(whole, rel=1e-5)
    assert model.carries_on is False


def test_a_run_that_was_stopped_goes_on_bit_for_bit_and_is_kept_where_nothing_is_carried(tmp_path):
    texts = [" ".join(str(number * each) for number in range(150)) for each in range(1, 7)]
    training = LanguageTraining(min_epochs=2, max_epochs=2, min_batch_tokens=64, max_batch_tokens=64)

    def model():
        family = LSTMLanguageModel(width=8, hidden_size=12, window=WINDOW)
        return scansion.LanguageModel(family, tokens="characters", training=training, processes=1, random_state=0)

    def followed(model, kept, asked=None):
        for event in model.fitting(texts, checkpointing=kept):
            if isinstance(event, Step) and event.number == asked:
                kept.stop.ask()
        return model

    wanted = model().fit(texts)
    with Checkpointing(tmp_path / "run") as kept, pytest.raises(InterruptedRunError):
        followed(model(), kept, 40)
    with Checkpointing(tmp_path / "run", resume=True) as kept:
        resumed = followed(model(), kept)
    assert np.array_equal(resumed.bits(texts), wanted.bits(texts))
