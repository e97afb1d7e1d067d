"""Decoding over a step that is a table, against all there is; and over a network, in every batch."""

import itertools

import pytest
import torch

from scansion.decoding.beam import beam_search, continuations, staying
from scansion.decoding.greedy import greedy
from scansion.decoding.sampling import sample
from scansion.families.gru_encoder_decoder import GRUEncoderDecoder
from scansion.families.recurrent_encoder_decoder import LSTMEncoderDecoder, RNNEncoderDecoder
from scansion.families.sequence_to_sequence import SequenceToSequence
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder
from scansion.heads.next_token import NextToken

BEGIN, END, TOKENS = 0, 1, 5


class Written:
    """A state that is nothing but what was written, and for which source."""

    def __init__(self, sources, texts):
        self.sources, self.texts = sources, texts

    def reorder(self, rows, hypotheses):
        return Written(self.sources[rows], [self.texts[row] for row in rows.tolist()])


def log_probs_of(source: int, text: tuple[int, ...]) -> torch.Tensor:
    """A distribution that depends on all of the past."""
    generator = torch.Generator().manual_seed(hash((source, text)) % 2**31)
    return (3 * torch.randn(TOKENS, generator=generator)).log_softmax(dim=0)


def step(last, state):
    texts = [(*text, token) for text, token in zip(state.texts, last.tolist(), strict=True)]
    log_probs = [log_probs_of(source, text) for source, text in zip(state.sources.tolist(), texts, strict=True)]
    return torch.stack(log_probs), Written(state.sources, texts)


def start(*sources):
    return Written(torch.tensor(sources), [()] * len(sources))


def everything(source: int, most: int, penalty: float):
    """Every sequence of at most so many tokens, best first."""
    others = [token for token in range(TOKENS) if token != END]
    found = []
    for length in range(most):
        for tokens in itertools.product(others, repeat=length):
            text, total = (BEGIN,), 0.0
            for token in (*tokens, END):
                total += float(log_probs_of(source, text)[token])
                text = (*text, token)
            found.append((total / (length + 1) ** penalty, total, list(tokens)))
    return sorted(found, key=lambda entry: -entry[0])


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_there_is(penalty):
    sources, most = (3, 4, 5, 6), 4
    found = beam_search(step, start(*sources), 4, 64, torch.full((4,), most), BEGIN, END, penalty)
    for source, hypotheses in zip(sources, found, strict=True):
        score, total, tokens = everything(source, most, penalty)[0]
        assert hypotheses[0].tokens == tokens
        assert hypotheses[0].score == pytest.approx(score, abs=1e-5)
        assert hypotheses[0].log_probability == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("beam", [1, 2, 3, 7])
def test_hypotheses_are_distinct_sorted_and_cost_what_they_say(beam):
    for source, hypotheses in zip((8, 9), beam_search(step, start(8, 9), 2, beam, torch.tensor([6, 3]), BEGIN, END),
                                  strict=True):
        assert len({tuple(each.tokens) for each in hypotheses}) == len(hypotheses) <= beam
        assert [each.score for each in hypotheses] == sorted((each.score for each in hypotheses), reverse=True)
        for each in hypotheses:
            text, total = (BEGIN,), 0.0
            for token in (*each.tokens, END):
                total += float(log_probs_of(source, text)[token])
                text = (*text, token)
            assert each.log_probability == pytest.approx(total, abs=1e-4)
            assert len(each.tokens) < (6 if source == 8 else 3)


def test_a_beam_of_one_is_greedy():
    most = torch.full((6,), 9)
    sources = range(10, 16)
    ones = beam_search(step, start(*sources), 6, 1, most, BEGIN, END)
    greedy_ones = greedy(step, start(*sources), 6, most, BEGIN, END)
    assert [each[0].tokens for each in ones] == [each.tokens for each in greedy_ones]


def test_samples_follow_the_distribution_and_depend_on_nothing_else():
    many, one = 4000, torch.tensor([1])
    drawn = sample(step, start(*[5] * many), range(many), torch.full((many,), 2), BEGIN, END, seed=0)
    shares = torch.tensor([sum(each.tokens == [token] for each in drawn) / many for token in range(TOKENS)])
    truth = log_probs_of(5, (BEGIN,)).exp()
    others = [token for token in range(TOKENS) if token != END]
    torch.testing.assert_close(shares[others], truth[others].to(shares.dtype), atol=0.03, rtol=0)
    together = sample(step, start(5, 6, 7), [0, 1, 2], torch.full((3,), 8), BEGIN, END, seed=3)
    alone = [sample(step, start(5 + i), [i], 8 * one, BEGIN, END, seed=3)[0] for i in range(3)]
    assert together == alone
    cold = sample(step, start(5, 6, 7), [0, 1, 2], torch.full((3,), 8), BEGIN, END, seed=3, top_k=1)
    assert [each.tokens for each in cold] == [
        each.tokens for each in greedy(step, start(5, 6, 7), 3, torch.full((3,), 8), BEGIN, END)
    ]


# --- a network


FAMILIES = {
    "transformer": TransformerEncoderDecoder(width=16, heads=2, layers=2, feed_forward=32, max_length=32),
    "lstm": LSTMEncoderDecoder(width=16, hidden_size=24),
    "gru": GRUEncoderDecoder(width=16, hidden_size=24),
    "rnn": RNNEncoderDecoder(width=16, hidden_size=24),
    "lstm without attention": SequenceToSequence(width=16, hidden_size=24),
}


@pytest.fixture(scope="module", params=list(FAMILIES))
def network(request):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        family = FAMILIES[request.param]
        net, head = family.build(30).eval(), NextToken(30)
        for parameter in net.parameters():
            parameter.data *= 2.5  # sharper, so that the best is the best by a margin
    return net, head


def batch_of(texts):
    lengths = torch.tensor([len(text) for text in texts])
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    tokens = torch.zeros(mask.shape, dtype=torch.int64)
    tokens[mask] = torch.tensor([token for text in texts for token in text])
    return tokens, mask


@pytest.fixture(scope="module")
def texts():
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(1, 12, (23,), generator=generator).tolist()
    return [torch.randint(2, 30, (length,), generator=generator).tolist() for length in lengths]


def translate(network, texts, beam):
    net, head = network
    with torch.inference_mode():
        source, mask = batch_of(texts)
        most = 2 * mask.sum(dim=1) + 3
        state = net.init_state(source, mask, int(most.max()))

        def forward(last, state):
            vectors, state = net.step(last, state)
            return head.log_probs(vectors, net.output_embedding), state

        return beam_search(forward, state, len(texts), beam, most, BEGIN, END)


def test_a_step_is_a_column_of_forward(network, texts):
    net, _ = network
    source, mask = batch_of(texts)
    target = torch.randint(2, 30, (len(texts), 6), generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        whole = net(source, mask, target)
        state = net.init_state(source, mask, 6)
        for position in range(6):
            vectors, state = net.step(target[:, position], state)
            torch.testing.assert_close(vectors, whole[:, position], atol=1e-4, rtol=1e-3)


def test_of_every_parent_that_has_children_one_stands_in_its_place_and_none_is_lost():
    parents = torch.randint(0, 5, (200, 5), generator=torch.Generator().manual_seed(0))
    order = staying(parents)
    assert (order.sort(dim=1).values == torch.arange(5)).all()
    placed = parents.gather(1, order)
    lives = (parents[:, None, :] == torch.arange(5)[:, None]).any(dim=2)
    assert (placed == torch.arange(5))[lives].all()


@pytest.mark.parametrize("beam", [1, 5])
@pytest.mark.parametrize("size", [1, 7, 23])
def test_the_batch_changes_nothing(network, texts, beam, size):
    truth = translate(network, texts, beam)
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(size)).tolist()
    for begin in range(0, len(texts), size):
        rows = order[begin : begin + size]
        for row, found in zip(rows, translate(network, [texts[row] for row in rows], beam), strict=True):
            assert [each.tokens for each in found] == [each.tokens for each in truth[row]]
            torch.testing.assert_close([each.score for each in found], [each.score for each in truth[row]],
                                       atol=1e-4, rtol=0)


def test_hypotheses_cost_what_the_whole_network_says(network, texts):
    net, head = network
    for text, hypotheses in zip(texts, translate(network, texts, 4), strict=True):
        for each in hypotheses[:2]:
            source, mask = batch_of([text])
            with torch.inference_mode():
                vectors = net(source, mask, torch.tensor([[BEGIN, *each.tokens]]))[0]
                log_probs = head.log_probs(vectors, net.output_embedding)
            total = sum(float(log_probs[i, token]) for i, token in enumerate([*each.tokens, END]))
            assert each.log_probability == pytest.approx(total, abs=1e-3)


@pytest.mark.parametrize("words", [3, 7, 30, 100, 257, 10_000])
@pytest.mark.parametrize("beam", [1, 5])
@pytest.mark.parametrize("count", [1, 4, 10])
def test_the_best_of_groups_are_the_best_of_all(words, beam, count):
    random = torch.Generator().manual_seed(words)
    scores, log_probs = (torch.randn(shape, generator=random) for shape in ((6, beam), (6 * beam, words)))
    log_probs[0, words // 2] = float("-inf")
    scores[2, -1] = float("-inf")
    found, parents, tokens = continuations(scores, log_probs, count)
    everything = (scores[:, :, None] + log_probs.view(6, beam, words)).flatten(1)
    there = min(count, beam * words)
    torch.testing.assert_close(found[:, :there], everything.topk(there, dim=1).values)
    assert found[:, there:].eq(float("-inf")).all()
    possible = found.isfinite()
    torch.testing.assert_close(everything.gather(1, parents * words + tokens)[possible], found[possible])
