"""Formulas written out = the kernels; linear heads = scikit-learn."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix, diags
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from scansion.errors import UsageError
from scansion.families.bag_of_words import BagOfWords
from scansion.families.catalogue import DOCUMENT_FAMILIES
from scansion.families.gru import GRU
from scansion.families.lstm import LSTM
from scansion.families.ngrams import NGrams, char_ngram_counts, spell
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.multilabel import MultilabelHead
from scansion.heads.regression import RegressionHead
from scansion.layers.attention import MultiHeadAttention, attention_mask
from scansion.layers.attention_capture import recorded
from scansion.layers.bidirectional import Bidirectional, turn
from scansion.layers.dropout import LEVELS, Dropout, WordDropout, reseed
from scansion.layers.embedding import WordEmbedding
from scansion.layers.log_count_ratios import prior_widths
from scansion.layers.pooling import ConcatPooling, MeanMaxPooling, WordSum
from scansion.layers.positions import sinusoidal_positions
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.learning.solver import solve
from scansion.text.batches import FIRST_WORD
from scansion.text.numbered import Numbered
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words


@pytest.fixture(autouse=True)
def _same_weights_every_time():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        yield


def rows(*lengths: int) -> torch.Tensor:
    """The mask (B, L) of rows of these lengths."""
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def close(found, expected, atol=1e-5):
    torch.testing.assert_close(torch.as_tensor(found), torch.as_tensor(expected), rtol=0, atol=atol, check_dtype=False)


# --- attention ------------------------------------------------------------------------------------------------------


def attention_by_hand(layer: MultiHeadAttention, queries, context, mask) -> np.ndarray:
    """softmax(Q K^T / sqrt(d)) V, one row, one head and one position at a time."""
    size = layer.query.out_features // layer.heads
    Q, KV = layer.query(queries).detach().numpy(), layer.key_value(context).detach().numpy()
    K, V = np.split(KV, 2, axis=-1)
    out = np.zeros_like(Q)
    for b in range(len(Q)):
        for h in range(layer.heads):
            part = slice(h * size, (h + 1) * size)
            for i in range(Q.shape[1]):
                scores = K[b, :, part] @ Q[b, i, part] / size**0.5
                powers = [np.exp(score) if seen else 0.0 for score, seen in zip(scores, mask[b], strict=True)]
                out[b, i, part] = sum(p * V[b, j, part] for j, p in enumerate(powers)) / sum(powers)
    return layer.output(torch.from_numpy(out)).detach().numpy()


@pytest.mark.parametrize("mask", [rows(5, 5), rows(5, 2)], ids=["full", "padded"])
def test_fused_attention_is_the_formula_written_out(mask):
    layer, queries, context = MultiHeadAttention(8, heads=2), torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    expected = attention_by_hand(layer, queries, context, mask)
    seen = attention_mask(mask)
    close(layer(queries, layer.keys_values(context), seen).detach(), expected)
    with recorded(layer):
        close(layer(queries, layer.keys_values(context), seen).detach(), expected)


def test_recording_keeps_every_layers_weights_and_leaves_nothing_behind():
    net = Transformer(width=8, heads=2, layers=2, feed_forward=16, max_length=16).build(10).eval()
    tokens, mask = torch.randint(3, 10, (2, 6)), rows(6, 4)
    before = net(tokens, mask)
    with recorded(net) as maps:
        inside = net(tokens, mask)
        net(tokens[:, :3], mask[:, :3])
    assert list(maps) == ["blocks.0.attention", "blocks.1.attention"]
    for weights, shorter in maps.values():
        assert (weights.shape, shorter.shape) == ((2, 2, 6, 6), (2, 2, 3, 3))
        assert not weights.requires_grad
        close(weights.sum(dim=-1), torch.ones(2, 2, 6))
        assert (weights[1, :, :, 4:] == 0).all()
    close(inside, before)
    assert all(layer.record is None for layer in net.modules() if isinstance(layer, MultiHeadAttention))
    net(tokens, mask)
    assert [len(kept) for kept in maps.values()] == [2, 2]


def test_recording_ends_with_its_block_even_if_that_raises():
    layer = MultiHeadAttention(8, heads=2)
    with pytest.raises(KeyError), recorded(layer):
        raise KeyError
    assert layer.record is None


@pytest.mark.parametrize(("length", "width"), [(1, 2), (7, 6), (50, 16)])
def test_sinusoidal_positions_are_the_papers_formula(length, width):
    expected = np.zeros((length, width))
    for p in range(length):
        for i in range(width // 2):
            expected[p, 2 * i] = np.sin(p / 10000 ** (2 * i / width))
            expected[p, 2 * i + 1] = np.cos(p / 10000 ** (2 * i / width))
    close(sinusoidal_positions(length, width), expected)


def test_the_transformer_encoder_is_its_three_equations():
    net = Transformer(width=8, heads=2, layers=2, feed_forward=16, max_length=16).build(10).eval()
    tokens, mask = torch.randint(3, 10, (2, 5)), rows(5, 3)
    x = net.embedding.words.weight[tokens] + 0.1 * sinusoidal_positions(5, 8)
    for block in net.blocks:
        normed = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
        x = x + torch.from_numpy(attention_by_hand(block.attention, normed, normed, mask))
        normed = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
        hidden = (normed @ block.feed_forward.inner.weight.T + block.feed_forward.inner.bias).clamp(min=0)
        x = x + hidden @ block.feed_forward.outer.weight.T + block.feed_forward.outer.bias
    x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    close(net(tokens, mask)[mask], x[mask])


# --- recurrence -----------------------------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_by_hand(layer: nn.RNN, inputs: np.ndarray) -> list[np.ndarray]:
    """h_t = tanh(W x_t + U h_(t-1) + b), (L, D) -> L states."""
    W, U, b, c = (weight.detach().numpy() for weight in layer.parameters())
    h, states = np.zeros(len(U)), []
    for x in inputs:
        h = np.tanh(W @ x + U @ h + b + c)
        states.append(h)
    return states


def lstm_by_hand(layer: nn.LSTM, inputs: np.ndarray) -> list[np.ndarray]:
    """i, f, o = sigmoid(...), g = tanh(...), c_t = f * c_(t-1) + i * g, h_t = o * tanh(c_t)."""
    W, U, b, d = (weight.detach().numpy() for weight in layer.parameters())
    h, c, states = np.zeros(U.shape[1]), np.zeros(U.shape[1]), []
    for x in inputs:
        i, f, g, o = np.split(W @ x + U @ h + b + d, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return states


def gru_by_hand(layer: nn.GRU, inputs: np.ndarray) -> list[np.ndarray]:
    """r, z = sigmoid(...), n = tanh(W' x_t + b' + r * (U' h_(t-1) + d')), h_t = (1 - z) * n + z * h_(t-1)."""
    W, U, b, d = (weight.detach().numpy() for weight in layer.parameters())
    h, states = np.zeros(U.shape[1]), []
    for x in inputs:
        (word_r, word_z, word_n), (r, z, n) = np.split(W @ x + b, 3), np.split(U @ h + d, 3)
        r, z = sigmoid(word_r + r), sigmoid(word_z + z)
        h = (1 - z) * np.tanh(word_n + r * n) + z * h
        states.append(h)
    return states


@pytest.mark.parametrize(
    ("family", "by_hand"), [(RNN(width=6), rnn_by_hand), (GRU(width=6), gru_by_hand), (LSTM(width=6), lstm_by_hand)]
)
def test_a_recurrent_encoder_is_its_equations_from_both_ends(family, by_hand):
    net = family.build(10).eval()
    tokens, mask = torch.randint(3, 10, (3, 6)), rows(6, 4, 1)
    found = net(tokens, mask).detach()
    words = net.embedding.words.weight.detach().numpy()
    for row, length in enumerate([6, 4, 1]):
        inputs = words[tokens[row, :length].numpy()]
        onwards = by_hand(net.states.forwards, inputs)
        back = by_hand(net.states.backwards, inputs[::-1])[::-1]
        close(found[row, :length], np.concatenate([np.stack(onwards), np.stack(back)], axis=1))


TRACED = {name: kind for name, kind in DOCUMENT_FAMILIES.items() if getattr(kind, "trace", None) is not None}


def test_every_recurrent_family_declares_its_formula_written_out():
    assert {"rnn", "gru", "lstm"} <= set(TRACED)


@pytest.mark.parametrize("name", list(TRACED))
def test_the_formula_that_a_family_declares_makes_the_states_of_torchs_kernel(name):
    net = TRACED[name](width=6).build(10).eval()
    tokens, mask = torch.randint(3, 10, (3, 7)), rows(7, 4, 1)
    found = net(tokens, mask).detach()
    for row, length in enumerate([7, 4, 1]):
        words = net.embedding(tokens[row, :length]).detach()
        onwards = TRACED[name].trace(net.states.forwards, words)
        back = TRACED[name].trace(net.states.backwards, words.flip(0))
        close(found[row, :length], torch.cat([onwards.states, back.states.flip(0)], dim=1).detach())
        for trace in (onwards, back):
            assert all(gate.shape == (length,) and ((gate > 0) & (gate < 1)).all() for gate in trace.gates.values())


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_reading_both_ways_is_torchs_bidirectional_layer_over_packed_rows(kind):
    both = kind(5, 4, batch_first=True, bidirectional=True)
    ours = Bidirectional(kind(5, 4, batch_first=True), kind(5, 4, batch_first=True))
    weights = both.state_dict()
    ours.forwards.load_state_dict({name: weight for name, weight in weights.items() if "reverse" not in name})
    ours.backwards.load_state_dict(
        {name.removesuffix("_reverse"): weight for name, weight in weights.items() if "reverse" in name}
    )
    lengths, vectors = [3, 7, 1, 5], torch.randn(4, 7, 5)
    packed = pack_padded_sequence(vectors, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(both(packed)[0], batch_first=True)
    mask = rows(*lengths)
    close(ours(vectors, mask)[mask], expected[mask])


def test_turning_a_row_twice_gives_it_back():
    vectors, mask = torch.randn(3, 6, 2), rows(6, 2, 1)
    turned = turn(vectors, mask)
    close(turned[1, :2], vectors[1, [1, 0]])
    assert torch.equal(turned[1, 2:], vectors[1, 2:])
    assert torch.equal(turn(turned, mask), vectors)


# --- dropout and pooling --------------------------------------------------------------------------------------------


def dropped(layer: nn.Module, seed: int = 0, step: int = 0, rank: int = 0, size: int = 1000) -> torch.Tensor:
    reseed(layer, seed, step, rank)
    return layer(torch.ones(size))


def test_the_same_key_draws_the_same_mask_and_any_other_key_another():
    layer = Dropout(0.5)
    assert torch.equal(dropped(layer), dropped(layer))
    for other in ({"seed": 1}, {"step": 1}, {"rank": 1}):
        assert not torch.equal(dropped(layer), dropped(layer, **other))


def test_two_layers_and_two_calls_draw_their_own_masks():
    model = nn.ModuleList([Dropout(0.5), Dropout(0.5)])
    reseed(model, 0, 0)
    masks = [layer(torch.ones(1000)) for layer in (model[0], model[0], model[1])]
    assert not any(torch.equal(masks[i], masks[j]) for i, j in [(0, 1), (0, 2), (1, 2)])


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.9])
def test_dropout_keeps_the_expectation(rate):
    kept = dropped(Dropout(rate), size=400_000)
    exact = round(rate * LEVELS) / LEVELS
    assert kept.unique().tolist() == [0.0, pytest.approx(1 / (1 - exact))]
    assert float((kept == 0).float().mean()) == pytest.approx(exact, abs=0.005)
    assert float(kept.mean()) == pytest.approx(1, abs=0.02)


def test_dropout_that_nobody_reseeded_is_an_error_and_never_a_repeated_mask():
    with pytest.raises(UsageError, match="reseed"):
        Dropout(0.5)(torch.ones(3))


@pytest.mark.parametrize("layer", [Dropout(0.0), Dropout(0.5).eval(), WordDropout(0.5, 1).eval()])
def test_dropout_is_silent_at_rate_nought_and_outside_training(layer):
    ones = torch.ones(3)
    assert layer(ones) is ones


def test_word_dropout_replaces_whole_tokens():
    layer = WordDropout(0.25, replacement=1)
    reseed(layer, 0, 0)
    tokens = torch.arange(3, 100_003).view(100, 1000)
    after = layer(tokens)
    assert set(after[after != tokens].tolist()) == {1}
    assert float((after == 1).float().mean()) == pytest.approx(0.25, abs=0.01)


def test_pooling_by_hand():
    vectors = torch.tensor([[[1.0, -4.0], [3.0, -2.0], [99.0, 99.0]], [[-1.0, 5.0], [0.0, 7.0], [4.0, 0.0]]])
    pooled = MeanMaxPooling()(vectors, rows(2, 3))
    close(pooled, [[2.0, -3.0, 3.0, -2.0], [1.0, 4.0, 4.0, 7.0]])
    ends = ConcatPooling()(vectors, rows(2, 3))  # the first half of the last position, the second half of the first
    close(ends[:, :4], pooled)
    close(ends[:, 4:], torch.tensor([[3.0, -4.0], [4.0, 5.0]]) / torch.tensor([[2.0], [3.0]]).sqrt())


def test_a_documents_words_count_by_the_roots_of_how_often_they_stand_there():
    tokens = torch.tensor([[7, 5, 7, 7, 7], [7, 5, 0, 0, 0]])
    table = torch.randn(8, 3)
    summed = WordSum()(table[tokens], tokens, rows(5, 2))
    often = 3**0.5 * (2 * table[7] + table[5]) / 3**0.5
    once = 3**0.5 * (table[7] + table[5]) / 2**0.5
    close(summed, torch.stack([often, once]))


# --- word vectors ---------------------------------------------------------------------------------------------------


def test_a_words_vector_is_its_own_and_the_mean_of_its_character_n_grams():
    corpus = read_words(["cat cat cats", "dog cat at"])
    vocabulary = Vocabulary(Numbered(["cat", "dog"]), Numbered(["<ca", "cat", "at>", "og>"]))
    layer = WordEmbedding(len(vocabulary), 4, 3, dropout=0.0, word_dropout=0.0, unknown=1)
    index = vocabulary.index(corpus.types)
    layer.use(index.words, index.char_ngrams, index.offsets)
    own, part = layer.words.weight.detach(), layer.char_ngrams.weight.detach()
    by_hand = {
        "cat": own[3] + (part[0] + part[1] + part[2]) / 3,
        "cats": own[1] + (part[0] + part[1]) / 2,
        "dog": own[4] + part[3],
        "at": own[1] + part[2],
    }
    token = {word: FIRST_WORD + corpus.types.index(word) for word in by_hand}
    found = layer(torch.tensor([[token["dog"], token["cat"]], [token["at"], token["cats"]]])).detach()
    close(found, torch.stack([by_hand[word] for word in ("dog", "cat", "at", "cats")]).view(2, 2, 3))
    close(layer(torch.tensor([[0, 1, 2]])).detach(), own[None, :3])


# --- counts ---------------------------------------------------------------------------------------------------------

TEXTS = [
    "The cat sat on the mat, the cat!", "a dog sat", "the dog's cat", "", "A mat; a hat; a cat.", "dogs and cats don't",
    "mat mat mat mat", "on the mat the cat sat down",
]  # fmt: skip
CORPUS = read_words(TEXTS)
NEW = ["the cat sat on a new mat", "nothing known", "", "dog dog"]
NEW_CORPUS = read_words(NEW)
WORDS = {text: CORPUS.words(i) for i, text in enumerate(TEXTS)} | {t: NEW_CORPUS.words(i) for i, t in enumerate(NEW)}


def words_of(text: str) -> list[str]:
    return WORDS[text]


def whole(vectors: SparseBlocks) -> csr_matrix:
    return vectors.rows(np.arange(vectors.shape[0]))


def same_columns(found, names: list[str], reference, texts=TEXTS) -> None:
    """Both matrices hold the same numbers once their columns stand in the same order."""
    order = [reference.vocabulary_[name] for name in names]
    assert sorted(order) == list(range(len(order)))
    np.testing.assert_allclose(found.toarray(), reference.transform(texts).toarray()[:, order], atol=1e-6)


@pytest.mark.parametrize("least", [1, 2, 3])
def test_bag_of_words_is_scikit_learns_tf_idf(least):
    reference = TfidfVectorizer(analyzer=words_of, sublinear_tf=True, min_df=least).fit(TEXTS)
    family = BagOfWords(min_documents=least).build()
    same_columns(whole(family.learn(CORPUS)), family.words, reference)
    same_columns(family.vectors(NEW_CORPUS), family.words, reference, NEW)


def test_priors_of_a_bag_of_words_are_as_wide_as_the_root_of_the_idf():
    reference = TfidfVectorizer(analyzer=words_of, sublinear_tf=True).fit(TEXTS)
    family = BagOfWords().build()
    vectors = family.learn(CORPUS)
    shares = reference.idf_ / reference.idf_.max()
    expected = [shares[reference.vocabulary_[word]] ** 0.5 for word in family.words]
    np.testing.assert_allclose(family.widths(vectors, None, 1)[:, 0], expected, rtol=1e-6)


def n_grams_of(text: str) -> list[str]:
    words = words_of(text)
    return [" ".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1)]


def char_ngrams_in(text: str) -> list[str]:
    bordered = [f"<{word}>" for word in words_of(text)]
    return [word[i : i + n] for word in bordered for n in (3, 4, 5) for i in range(len(word) - n + 1)]


def gram_names(family) -> list[str]:
    """Every word n-gram in the order of its column, read back from the keys."""
    names = before = list(family.words)
    for keys in family.grams:
        before = [f"{before[key // len(family.words)]} {family.words[key % len(family.words)]}" for key in keys]
        names = names + before
    return names


@pytest.mark.parametrize("least", [1, 2])
def test_n_grams_are_scikit_learns_two_tf_idfs_side_by_side(least):
    family = NGrams(min_documents=least).build()
    learned, new = whole(family.learn(CORPUS)), family.vectors(NEW_CORPUS)
    names = gram_names(family)
    for analyzer, spelled, part in (
        (n_grams_of, names, slice(0, len(names))),
        (char_ngrams_in, family.char_ngrams, slice(len(names), None)),
    ):
        reference = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, min_df=least).fit(TEXTS)
        same_columns(learned[:, part], spelled, reference)
        same_columns(new[:, part], spelled, reference, NEW)


def test_character_n_grams_are_counted_as_scikit_learn_counts_them():
    in_words, names = char_ngram_counts(CORPUS.types)
    same_columns(spell(CORPUS) @ in_words, names, CountVectorizer(analyzer=char_ngrams_in).fit(TEXTS))


@pytest.mark.parametrize("outputs", [1, 3])
def test_prior_widths_are_ratios_half_way_to_their_mean(outputs):
    vectors = BagOfWords().build().learn(CORPUS)
    targets = np.arange(len(TEXTS)) % max(2, outputs)
    found = prior_widths(vectors, targets, outputs)
    present = whole(vectors).toarray() > 0
    for output in range(outputs):
        inside = targets == (1 if outputs == 1 else output)
        p, q = 1 + present[inside].sum(axis=0), 1 + present[~inside].sum(axis=0)
        ratios = np.abs(np.log((p / p.sum()) / (q / q.sum())))
        expected = ratios / 2 + ratios.mean() / 2
        np.testing.assert_allclose(found[:, output], expected, atol=1e-6)


def test_prior_widths_of_label_sets_take_every_label_on_its_own():
    vectors = BagOfWords().build().learn(CORPUS)
    sets = np.random.default_rng(0).integers(0, 2, (len(TEXTS), 3))
    found = prior_widths(vectors, sets, 3)
    for label in range(3):
        np.testing.assert_allclose(found[:, [label]], prior_widths(vectors, sets[:, label], 1), atol=1e-6)


# --- the linear head ------------------------------------------------------------------------------------------------

random = np.random.default_rng(0)
X = csr_matrix(random.random((150, 12)) * (random.random((150, 12)) < 0.5), dtype=np.float32)
HIDDEN = X.toarray() @ random.normal(size=(12, 3)) * 2 + random.normal(size=(150, 3))
ROW_WEIGHTS = random.uniform(0.2, 3, 150)
X_EXACT = X.astype(np.float64)  # scikit-learn solves in the precision it is given
EXACT = {"tol": 1e-10, "max_iter": 10_000}
FINE = 1e-10


@pytest.mark.parametrize("strength", [0.3, 10.0])
@pytest.mark.parametrize("row_weights", [None, ROW_WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("labels", [2, 3])
def test_the_labels_head_is_scikit_learns_logistic_regression(strength, row_weights, labels):
    targets = HIDDEN[:, :labels].argmax(axis=1)
    head = MulticlassHead(tuple("abc"[:labels]))
    found = solve(SparseBlocks.of(X), targets, head, strength, row_weights=row_weights, precision=FINE)
    reference = LogisticRegression(C=strength, **EXACT).fit(X_EXACT, targets, sample_weight=row_weights)
    np.testing.assert_allclose(found.weights, reference.coef_.T, atol=2e-3)
    np.testing.assert_allclose(head.probabilities(found.logits(X)), reference.predict_proba(X_EXACT), atol=1e-3)
    if labels == 2:  # of three, only the differences of biases are determined
        np.testing.assert_allclose(found.bias, reference.intercept_, atol=2e-3)


@pytest.mark.parametrize("row_weights", [None, ROW_WEIGHTS], ids=["plain", "weighted"])
def test_the_numbers_head_is_scikit_learns_ridge_on_the_standardised_target(row_weights):
    numbers = 40 + 7 * HIDDEN[:, 0]
    head = RegressionHead(float(numbers.mean()), float(numbers.std()))
    found = solve(SparseBlocks.of(X), head.encode(numbers), head, 3.0, row_weights=row_weights, precision=FINE)
    standardised = (numbers - numbers.mean()) / numbers.std()
    reference = Ridge(alpha=1 / 3.0).fit(X.toarray(), standardised, sample_weight=row_weights)
    np.testing.assert_allclose(found.weights[:, 0], reference.coef_, atol=2e-3)
    expected = reference.predict(X.toarray()) * numbers.std() + numbers.mean()
    np.testing.assert_allclose(head.decide(found.logits(X)), expected, atol=0.02)


def test_the_label_sets_head_is_one_logistic_regression_a_label_at_a_share_of_the_strength():
    sets = (HIDDEN > 0.5).astype(np.float32)
    head = MultilabelHead(("a", "b", "c"))
    found = solve(SparseBlocks.of(X), head.encode(sets), head, 9.0, precision=FINE)
    reference = OneVsRestClassifier(LogisticRegression(C=9.0 / 3, **EXACT)).fit(X_EXACT, sets)
    np.testing.assert_allclose(head.probabilities(found.logits(X)), reference.predict_proba(X_EXACT), atol=1e-3)


def test_prior_widths_are_columns_scaled_beforehand():
    targets = HIDDEN[:, :2].argmax(axis=1)
    widths = np.random.default_rng(1).uniform(0.1, 3, (12, 1))
    found = solve(SparseBlocks.of(X), targets, MulticlassHead(("a", "b")), 5.0, widths=widths, precision=FINE)
    scaled = X_EXACT @ diags(widths[:, 0])
    reference = LogisticRegression(C=5.0, **EXACT).fit(scaled, targets)
    np.testing.assert_allclose(found.logits(X)[:, 0], reference.decision_function(scaled), atol=5e-3)
    np.testing.assert_allclose(found.weights[:, 0], reference.coef_[0] * widths[:, 0], atol=5e-3)
