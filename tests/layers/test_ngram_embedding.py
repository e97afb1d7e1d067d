"""Vectors of n-grams: which tokens they depend on, and that they share rows."""

import pytest
import torch

from scansion.errors import UsageError
from scansion.families.causal_transformer import CausalTransformer
from scansion.layers.dropout import reseed
from scansion.layers.ngram_embedding import Backoff, NgramEmbedding


def embedding(rows: int) -> NgramEmbedding:
    found = NgramEmbedding(3, rows, 4, 0.0)
    torch.nn.init.normal_(found.table.weight, generator=torch.Generator().manual_seed(0))
    return found


def test_a_position_has_the_sum_of_its_bigrams_and_its_trigrams_vector():
    found = embedding(10_000)
    window, at = torch.tensor([[5, 6, 7, 6, 7, 5, 6, 7]]), torch.arange(8)[None]
    vectors, (bigrams, trigrams) = found(window, at), found.numbers(window, at)
    torch.testing.assert_close(vectors, found.table(bigrams) + found.table(trigrams))
    assert bigrams[0, 2] == bigrams[0, 4] == bigrams[0, 7]  # 6 7
    assert trigrams[0, 2] == trigrams[0, 7] != trigrams[0, 4]  # 5 6 7, and 7 6 7
    assert len(set(bigrams[0].tolist())) == 5  # 5 with nothing before it, 5 6, 6 7, 7 6, 7 5
    assert bigrams.max() < 10_000 <= trigrams.min()


def test_positions_may_differ_from_window_to_window():
    found, windows = embedding(100), torch.randint(3, 9, (3, 6), generator=torch.Generator().manual_seed(1))
    everywhere = found(windows, torch.arange(6).expand(3, -1))
    at = torch.tensor([[0], [5], [2]])
    torch.testing.assert_close(found(windows, at)[:, 0], everywhere[torch.arange(3), at[:, 0]])


def test_only_rows_that_were_read_have_gradients():
    found, window = embedding(1_000), torch.tensor([[3, 4, 3, 4]])
    at = torch.arange(4)[None]
    found(window, at).sum().backward()
    gradient = found.table.weight.grad.coalesce()
    assert gradient.indices()[0].tolist() == sorted(set(found.numbers(window, at).flatten().tolist()))


def test_training_leaves_out_the_longer_of_some_positions_n_grams_and_answers_have_all():
    backoff, ones = Backoff(0.5), torch.ones(4, 50, 40, 2)
    assert torch.equal(backoff.eval()(ones), ones)
    reseed(backoff.train(), 0, 0)
    kept = backoff(ones)
    assert torch.equal(kept[..., 0], kept[..., 1])
    assert (kept[1:] <= kept[:-1]).all()  # no longer one without the shorter ones
    seen = kept[..., 0].sum(dim=0).flatten().long().bincount(minlength=5) / 2_000
    torch.testing.assert_close(seen, torch.tensor([0.125, 0.125, 0.125, 0.125, 0.5]), atol=0.04, rtol=0)


def test_n_grams_longer_than_the_context_are_refused():
    with pytest.raises(UsageError, match="ngrams may be at most the context, 8 tokens; got 9"):
        CausalTransformer(context=8, ngrams=9)
