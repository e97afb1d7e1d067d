"""Numbers brought to the spread they should have on rows kept back."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.regression import RegressionHead
from scansion.learning.loop import Training
from scansion.learning.document_network import Examples, read
from scansion.learning.document_job import DocumentJob
from scansion.learning.spread import line, refit_spread
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

MANY = 20_000


RECURRENT, ATTENTIVE = RNN(width=16), Transformer(width=16, heads=2, feed_forward=32)
NUMBERS, LABELS = RegressionHead(0.0, 1.0), MulticlassHead(("no", "yes"))


def job(family=RECURRENT, head=NUMBERS, rows: int = 300) -> DocumentJob:
    random = np.random.default_rng(0)
    corpus = read_words([" ".join(random.choice(["fine", "dull", "slow", "bright"], 5)) for _ in range(rows)])
    vocabulary = Vocabulary.learn(corpus)
    examples = Examples(vocabulary.encode(corpus), np.zeros(rows, np.float32), np.ones(rows))
    return DocumentJob(
        family, head, len(vocabulary), len(vocabulary.pieces), Training(), 0, vocabulary.spell(corpus.types),
        examples, examples,
    )


def test_the_line_is_that_of_least_squares():
    random = np.random.default_rng(0)
    scores = random.normal(size=MANY)
    targets = 0.7 * scores - 0.2 + random.normal(size=MANY)
    assert line(scores, targets, np.ones(MANY)) == pytest.approx(np.polyfit(scores, targets, 1), abs=1e-3)


def test_rows_count_by_their_weights():
    random = np.random.default_rng(0)
    scores, targets = random.normal(size=50), random.normal(size=50)
    weights = random.integers(0, 4, 50)
    repeated = line(np.repeat(scores, weights), np.repeat(targets, weights), np.ones(weights.sum()))
    assert line(scores, targets, weights.astype(float)) == pytest.approx(repeated)


def test_a_row_or_none_at_all_is_not_believed():
    assert line(np.zeros(0), np.zeros(0), np.zeros(0)) == (1.0, 0.0)
    slope, offset = line(np.array([0.1]), np.array([5.0]), np.ones(1))
    assert 0.5 < slope < 2
    assert 0 < offset < 5


@pytest.mark.parametrize("longest", [3, 4096])
def test_a_reader_then_says_numbers_as_far_apart_as_those_of_the_rows_kept_back(longest):
    work = job(replace(ATTENTIVE, longest=longest))
    reader = work.build().eval()
    before = work.scores(reader, work.examples.sequences)[:, 0]
    truth = (0.5 * before + 3.0).astype(np.float32)
    refit_spread(reader, replace(work, held_out=replace(work.held_out, targets=truth, weights=np.full(300, 1e6))))
    assert np.allclose(read(reader.reading(work.spelling), work.examples.sequences, longest)[:, 0], truth, atol=1e-4)


def test_a_line_that_falls_is_not_believed():
    work = job()
    reader = work.build().eval()
    before = work.scores(reader, work.examples.sequences)
    held = replace(work.held_out, targets=-before[:, 0], weights=np.full(300, 1e6))
    refit_spread(reader, replace(work, held_out=held))
    assert np.array_equal(work.scores(reader, work.examples.sequences), before)


def test_labels_stay_as_they_are():
    work = job(head=LABELS)
    reader = work.build()
    before = {name: weights.clone() for name, weights in reader.state_dict().items()}
    refit_spread(reader, work)
    assert all(torch.equal(before[name], weights) for name, weights in reader.state_dict().items())


def test_numbers_from_scratch_have_no_words_beside_the_layers_and_pretrained_ones_do():
    work = job(ATTENTIVE)
    start = {name: weights.detach().numpy() for name, weights in work.build().network.state_dict().items()}
    assert [work.word_sum, replace(work, start=start).word_sum] == [False, True]
    assert job(ATTENTIVE, LABELS).word_sum
