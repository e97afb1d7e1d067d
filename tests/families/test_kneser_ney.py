"""Smoothed n-grams against the formula, written out with dictionaries over every possible token."""

from collections import Counter

import numpy as np
import pytest

from scansion.errors import UsageError
from scansion.families.kneser_ney import FALLBACK, KneserNey, discounts_of
from scansion.families.unigram import Unigram
from scansion.layers import ngram_counts
from scansion.layers.backoff_ngrams import BackoffNGrams
from scansion.randomness import stream

BEGIN, END, VOCABULARY = 1, 2, 9
UNSEEN = np.array([0, 0, *[1 / 7] * 7])


def documents(count: int = 60, seed: int = 0) -> list[list[int]]:
    """Of tokens that are not alike frequent, so that contexts of every length are seen."""
    random = stream(seed, "documents")
    shares = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    return [random.choice(np.arange(3, 8), random.integers(0, 12), p=shares).tolist() for _ in range(count)]


def flat(texts: list[list[int]]) -> np.ndarray:
    return np.array([token for text in texts for token in (BEGIN, *text, END)], np.int32)


class Slow:
    """The formula of Chen and Goodman as it stands in the module's docstring."""

    def __init__(self, texts: list[list[int]], order: int) -> None:
        self.order = order
        rows = [(BEGIN, *text, END) for text in texts]
        raw = {
            n: Counter(row[i : i + n] for row in rows for i in range(len(row) - n + 1)) for n in range(1, order + 1)
        }
        self.counts = {order: dict(raw[order])}
        for n in range(1, order):
            before = {ngram: {longer[0] for longer in raw[n + 1] if longer[1:] == ngram} for ngram in raw[n]}
            self.counts[n] = {
                ngram: raw[n][ngram] if ngram[0] == BEGIN else len(before[ngram]) for ngram in raw[n]
            }
        self.counts[1] = {ngram: count for ngram, count in self.counts[1].items() if ngram != (BEGIN,)}
        self.discounts = {n: discounts_of(np.array(list(counts.values())))[0] for n, counts in self.counts.items()}

    def probability(self, context: tuple[int, ...], token: int, n: int) -> float:
        if n == 0:
            return UNSEEN[token]
        history = context[len(context) - n + 1 :] if n > 1 else ()
        lower = self.probability(context, token, n - 1)
        following = {ngram[-1]: count for ngram, count in self.counts[n].items() if ngram[:-1] == history}
        if not following:
            return lower
        taken = {v: self.discounts[n][min(count, 3) - 1] for v, count in following.items()}
        kept = following.get(token, 0) - taken.get(token, 0)
        return (max(kept, 0) + sum(taken.values()) * lower) / sum(following.values())

    def after(self, history: list[int], token: int) -> float:
        context = tuple([BEGIN, *history][-(self.order - 1) :]) if self.order > 1 else ()
        return self.probability(context, token, len(context) + 1)


def learned(texts: list[list[int]], order: int) -> BackoffNGrams:
    return KneserNey(order=order).learn(flat(texts), UNSEEN, BEGIN)[0]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_every_probability_is_that_of_the_formula(order):
    texts, held_out = documents(), documents(20, seed=1)
    model, slow = learned(texts, order), Slow(texts, order)
    found = np.exp(model.log_probabilities(flat(held_out)))
    wanted = [
        each for text in held_out
        for each in (1.0, *(slow.after(text[:i], token) for i, token in enumerate([*text, END])))
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_probabilities_after_any_context_sum_to_one_and_padding_and_begin_have_none(order):
    model = learned(documents(), order)
    for text in documents(10, seed=2):
        state = model.start(1)
        for token in (BEGIN, *text):
            scores, state = model.step(np.array([token]), state)
            assert np.exp(scores.astype(float)).sum() == pytest.approx(1, abs=1e-5)
            assert np.isneginf(scores[0, :END]).all()


@pytest.mark.parametrize("order", [1, 2, 4, 6])
def test_a_step_gives_what_the_whole_text_gives(order):
    model, texts = learned(documents(), order), documents(12, seed=3)
    whole = model.log_probabilities(flat(texts))
    longest = max(map(len, texts)) + 1
    state, last = model.start(len(texts)), np.full(len(texts), BEGIN)
    starts = np.cumsum([0, *(len(text) + 2 for text in texts)])
    for position in range(longest):
        scores, state = model.step(last, state)
        for row, text in enumerate(texts):
            if position <= len(text):
                token = (*text, END)[position]
                assert scores[row, token] == pytest.approx(whole[starts[row] + position + 1], abs=1e-5)
        last = np.array([text[position] if position < len(text) else END for text in texts])


def test_a_stream_is_counted_the_same_in_parts_of_any_size(monkeypatch):
    whole = learned(documents(), 4)
    monkeypatch.setattr(ngram_counts, "TOKENS_AT_A_TIME", 7)
    monkeypatch.setattr(ngram_counts, "KEYS_AT_A_TIME", 3)
    parts = learned(documents(), 4)
    for name, array in whole.state().items():
        assert np.array_equal(array, parts.state()[name]), name


def test_places_are_found_also_where_a_key_and_a_place_do_not_fit_into_one_integer():
    keys = np.array([5, 1 << 61, 7, -1, 1 << 62])
    ordered, places = ngram_counts.sorted_with_places(keys)
    assert ordered.tolist() == sorted(keys.tolist())
    assert keys[places].tolist() == ordered.tolist()
    assert ngram_counts.find(np.array([7, 1 << 62]), keys).tolist() == [-1, -1, 0, -1, 1]


def test_discounts_are_those_of_the_closed_form():
    n1, n2, n3, n4 = 40, 20, 10, 6
    counts = np.repeat([1, 2, 3, 4, 9], [n1, n2, n3, n4, 5])
    share = n1 / (n1 + 2 * n2)
    found, reason = discounts_of(counts)
    assert found == pytest.approx((1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 3 - 4 * share * n4 / n3))
    assert not reason


def test_discounts_fall_back_where_a_count_is_missing_or_one_would_lie_out_of_bounds():
    assert discounts_of(np.array([1, 2, 4])) == (FALLBACK, "no n-gram has the adjusted count 3")
    found, reason = discounts_of(np.repeat([1, 2, 3, 4], [2, 1, 9, 9]))
    assert found == FALLBACK
    assert reason.startswith("the discount of count 2 would be -")


def test_a_tiny_text_is_learned_and_the_fallback_is_told():
    model, remarks = KneserNey(order=3).learn(flat([[3, 4]]), UNSEEN, BEGIN)
    assert len(remarks) == 3
    assert all(remark.startswith(f"order {n}: no n-gram has") for n, remark in enumerate(remarks, 1))
    assert np.isfinite(model.log_probabilities(flat([[3, 4], [8, 8, 8], []]))).all()


def test_documents_may_all_be_shorter_than_the_order():
    model = learned([[3], [4]], 6)
    slow = Slow([[3], [4]], 6)
    found = np.exp(model.log_probabilities(flat([[3, 3]])))[1:]
    np.testing.assert_allclose(found, [slow.after([], 3), slow.after([3], 3), slow.after([3, 3], END)], rtol=1e-5)
    assert np.isfinite(model.step(np.array([3]), model.start(1))[0][0, END:]).all()


def test_the_baseline_knows_nothing_but_frequencies():
    model = Unigram().learn(flat(documents()), UNSEEN, BEGIN)[0]
    once, again = (model.log_probabilities(flat([text]))[1:] for text in ([3, 4, 5], [5, 4, 3]))
    assert once[:3].tolist() == again[:3][::-1].tolist()


def test_what_is_restored_answers_the_same_and_what_is_no_model_is_refused():
    model = learned(documents(), 3)
    arrays = {name: array.copy() for name, array in model.state().items()}
    restored = BackoffNGrams.restore(VOCABULARY, BEGIN, arrays)
    held_out = flat(documents(5, seed=4))
    assert np.array_equal(restored.log_probabilities(held_out), model.log_probabilities(held_out))
    arrays["2.keys"][0], arrays["2.keys"][1] = arrays["2.keys"][1], arrays["2.keys"][0]
    with pytest.raises(ValueError, match="order 2 are not in order"):
        BackoffNGrams.restore(VOCABULARY, BEGIN, arrays)
    with pytest.raises(ValueError, match="no model of n-grams"):
        BackoffNGrams.restore(VOCABULARY, BEGIN, {})


@pytest.mark.parametrize("order", [0, 17, 2.5])
def test_an_order_out_of_bounds_is_refused(order):
    with pytest.raises(UsageError, match="order must be"):
        KneserNey(order=order)
