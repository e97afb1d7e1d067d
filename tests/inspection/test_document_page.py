"""Looking at one text: parts that add up, effects that are measured, and the head that does the work found first."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import scansion
from encoders import write_encoder
from scansion.errors import NotFittedError, UsageError
from scansion.inspection.document_page import words_of
from scansion.inspection.explanation import answer_of
from scansion.inspection.model_inputs import model_input
from scansion.inspection.receptive_field import receptive_field
from scansion.layers.attention import MultiHeadAttention
from scansion.layers.head_mask import heads_masked, heads_of
from small_families import small

WORDS = [f"w{i}" for i in range(12)]
DRAWN = np.random.default_rng(0).choice(WORDS, (120, 3))
TEXTS = [f"{first} {second} {'good' if i % 2 else 'bad'} {third}" for i, (first, second, third) in enumerate(DRAWN)]
LABELS = ["up" if i % 2 else "down" for i in range(120)]
QUICK = scansion.Training(
    min_epochs=10, max_epochs=10, min_batch_tokens=64, max_batch_tokens=64, label_smoothing=0.0
)
PLAIN = {"dropout": 0.0, "embedding_dropout": 0.0, "word_dropout": 0.1, "learning_rate": 0.01}
OF_WORDS = {
    name: small(kind, layers=2, max_length=16, **PLAIN)
    for name, kind in scansion.DOCUMENT_FAMILIES.items() if kind.reads == "words"
}
LEARNED = [name for name, family in OF_WORDS.items() if family.learner == "gradient"]
RECURRENT = [name for name in LEARNED if OF_WORDS[name].trace is not None]
MODES = ["frozen", "fine-tuned"]
TEXT = "W1, good w3 unseen"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = write_encoder(tmp_path_factory.mktemp("encoder") / "tiny", [*WORDS, "good", "bad"])
    families = OF_WORDS | {
        mode: scansion.Pretrained(str(folder), mode, dropout=0.0, learning_rate=0.01, encoder_lr_scale=1.0)
        for mode in MODES
    }
    return {
        name: scansion.DocumentClassifier(family, training=QUICK, processes=1, random_state=0).fit(TEXTS, LABELS)
        for name, family in families.items()
    }


def test_every_family_is_seen_on_the_words_of_one_text(models):
    found = scansion.look(list(models.values()), TEXT)
    assert found.words == ("W1", ",", "good", "w3", "unseen")
    assert "".join(a + b for a, b in zip(found.between, (*found.words, ""), strict=True)) == TEXT
    assert {model.answer for model in found.models} == {found.models[0].answer}
    for model in found.models:
        assert len(model.contributions) == len(found.words)
        left = model.base + model.contributions.sum() - model.score
        assert abs(left) <= max(1e-6, 0.01 * abs(model.score - model.base))
        assert sum(share for _, share in model.probabilities) == pytest.approx(1)


@pytest.mark.parametrize("name", OF_WORDS)
def test_a_removal_is_the_fall_of_the_log_probability_without_the_word(models, name):
    model = models[name]
    found = model.look("w1 good w3", "up").models[0]
    with_it, without = (model.predict_proba([text])[0, list(model.classes_).index("up")]
                        for text in ("w1 good w3", "w1  w3"))
    assert found.removals[1].effect == pytest.approx(np.log(with_it) - np.log(without), abs=1e-5)


def test_neighbouring_words_of_a_long_text_are_removed_together(models):
    found = models["bag-of-words"].look(" ".join(WORDS * 8)).models[0]
    assert found.removals[0].first == 0
    assert found.removals[-1].last == 95
    assert all(a.last + 1 == b.first for a, b in zip(found.removals, found.removals[1:], strict=False))


@pytest.mark.parametrize("name", [*LEARNED, *MODES])
def test_others_go_on_predicting_while_somebody_looks(models, name):
    model = models[name]
    model.look(TEXT)  # what is made at first is made
    wanted = model.decision_function([TEXT])
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(lambda: [model.look(TEXT) for _ in range(3)])
        while not looking.done():
            assert np.allclose(model.decision_function([TEXT]), wanted, atol=1e-5)
        looking.result()


@pytest.mark.parametrize("name", ["transformer", "frozen", "fine-tuned"])
def test_recorded_attention_is_the_models_own_and_changes_nothing(models, name):
    model = models[name]
    before = model.decision_function([TEXT])
    found = model.look(TEXT).models[0]
    assert found.attention.weights.shape[-2:] == (len(found.attention.rows), len(found.attention.columns))
    assert np.allclose(found.attention.weights.sum(axis=-1), 1, atol=1e-5)
    assert found.fidelity < 1e-5
    assert np.array_equal(model.decision_function([TEXT]), before)


@pytest.mark.parametrize("name", ["transformer", "fine-tuned"])
def test_the_effect_of_a_head_is_that_of_its_part_of_the_output_set_to_zero(models, name):
    model = models[name]
    found = model.look(TEXT, "up").models[0]
    read = model_input(model.fitted_.model, TEXT)
    window = read.windows()[0]
    layer = [each for each in read.network.modules() if isinstance(each, MultiHeadAttention)][1]
    width = layer.output.in_features // layer.heads
    with torch.no_grad():
        whole = torch.nn.functional.logsigmoid(read.logits(window.tokens, window)[0, 0])
        kept = layer.output.weight.clone()
        layer.output.weight[:, :width] = 0  # the first head's columns
        without = torch.nn.functional.logsigmoid(read.logits(window.tokens, window)[0, 0])
        layer.output.weight.copy_(kept)
    assert model.classes_[1] == "up"
    assert found.attention.effects[1, 0] == pytest.approx(float(whole - without), abs=1e-5)


def test_masked_heads_work_again_after_the_block(models):
    network = models["transformer"].fitted_.model.network.encoder
    tokens = torch.tensor([[3, 4, 5]])
    mask = torch.ones_like(tokens, dtype=torch.bool)
    with torch.no_grad():
        before = network(tokens, mask)
        with heads_masked(network, {name: torch.zeros(1, count) for name, count in heads_of(network).items()}):
            assert not torch.allclose(network(tokens, mask), before)
        assert torch.equal(network(tokens, mask), before)


GATES = {"rnn": 0, "gru": 2, "lstm": 3}


@pytest.mark.parametrize("name", RECURRENT)
def test_gates_written_out_lead_to_the_kernels_states(models, name):
    found = models[name].look("w1 w2 bad w3").models[0]
    assert found.fidelity < 1e-5
    gates = {track.name for track in found.tracks if track.name.endswith(" gate")}
    assert len(gates) == GATES.get(name, len(gates))
    assert len(found.tracks) == 1 + 2 * (len(gates) + 1)  # saliency, and both ways the gates and the movement
    for track in found.tracks:
        assert track.values.shape == (4,)
        assert (track.values >= 0).all()
        assert track.values.max() <= track.greatest + 1e-9


def test_saliency_is_how_the_score_moves_with_a_words_vector(models):
    model = models["lstm"]
    track = next(each for each in model.look("w1 good w3").models[0].tracks if each.name == "saliency")
    read = model_input(model.fitted_.model, "w1 good w3")
    window = read.windows()[0]
    with torch.no_grad():
        vectors = read.embedding(window.tokens)
        slopes = []
        for number in range(vectors.shape[-1]):
            nudge = torch.zeros_like(vectors)
            nudge[0, 1, number] = 1e-2
            up, down = (float(read.logits_from(vectors + sign * nudge, window)[0, 0]) for sign in (1, -1))
            slopes.append((up - down) / 2e-2)
    assert track.values[1] == pytest.approx(np.linalg.norm(slopes), rel=1e-2)


@pytest.mark.parametrize("name", OF_WORDS)
def test_the_receptive_field_is_the_familys(models, name):
    assert models[name].look("w1").models[0].receptive_field == receptive_field(OF_WORDS[name])


@pytest.mark.parametrize("name", [*OF_WORDS, *MODES])
@pytest.mark.parametrize("text", ["", " \t ", "...", "zyzzyva", "\u202eabc \x00 <b>", "good \udcff"])
def test_odd_texts_are_looked_at_too(models, name, text, tmp_path):
    models[name].look(text).save(tmp_path / "look.html")
    assert (tmp_path / "look.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_a_sure_model_is_as_sure_of_the_other_answer_being_wrong(models):
    answers = [answer_of(models["lstm"].fitted_.head, np.array([[40.0]]), label) for label in ("up", "down")]
    assert [float(answer.support(np.array([[40.0]]))[0]) for answer in answers] == pytest.approx([0, -40], abs=1e-9)


def test_a_piece_that_begins_with_its_blank_is_part_of_the_word_behind_it():
    assert words_of([(0, 1), (1, 6), (6, 8)], [(0, 1), (2, 6), (7, 8)]).tolist() == [0, 1, 2]


def test_numbers_and_sets_of_labels_are_looked_at_too():
    numbers = [1.0 if label == "up" else -1.0 for label in LABELS]
    found = scansion.DocumentRegressor("bag-of-words").fit(TEXTS, numbers).look("w1 good").models[0]
    assert (found.answer, found.probability, found.quantity) == ("number", None, "number")
    assert found.removals[1].effect > 0.5
    sets = [(label, "even" if i % 4 < 2 else "odd") for i, label in enumerate(LABELS)]
    found = scansion.DocumentClassifier("n-grams").fit(TEXTS, sets).look("w1 good", "odd").models[0]
    assert (found.answer, "up" in found.decision) == ("odd", True)


def test_windows_of_a_long_text_are_looked_at_one_at_a_time(models):
    text = " ".join(f"w{i % 12}" for i in range(40))
    first, second = (models["transformer"].look(text, window=window).models[0] for window in (1, 2))
    assert first.window == (1, 4)
    assert first.attention.rows == tuple(text.split()[:16])
    assert second.attention.rows == tuple(text.split()[8:24])
    assert second.attention.row_words == tuple(range(8, 24))
    together = scansion.look([models["lstm"], models["transformer"]], text, window=2)
    assert [model.window for model in together.models] == [(1, 1), (2, 4)]
    with pytest.raises(UsageError, match="no window 5: this text is read in 4"):
        models["transformer"].look(text, window=5)


def test_what_cannot_be_looked_at_is_refused_with_a_sentence(models):
    with pytest.raises(UsageError, match="no label 'upp'; did you mean 'up'"):
        models["lstm"].look("good", "upp")
    with pytest.raises(NotFittedError):
        scansion.look(scansion.DocumentClassifier(), "good")
    with pytest.raises(UsageError, match="no model to look at"):
        scansion.look([], "good")
    with pytest.raises(UsageError, match="Expected one text"):
        models["lstm"].look(["good"])
    with pytest.raises(NotFittedError):
        scansion.look(scansion.Translator(), "good")
    with pytest.raises(UsageError, match="Expected a fitted model of scansion, got int"):
        scansion.look(3, "good")
    with pytest.raises(UsageError, match="different kinds of questions"):
        scansion.look([models["lstm"], scansion.Translator()], "good")
    with pytest.raises(UsageError, match="answer does not go with two files of parallel text"):
        scansion.look(scansion.Translator(), "good", "up")
    with pytest.raises(UsageError, match="window does not go with two files of parallel text"):
        scansion.look(scansion.Translator(), "good", window=2)
    number = scansion.DocumentRegressor("bag-of-words").fit(TEXTS, np.arange(120.0) / 7)
    with pytest.raises(UsageError, match="answers with numbers"):
        number.look("good", "up")
    with pytest.raises(UsageError, match="no scale in common"):
        scansion.look([number, models["lstm"]], "good")


def test_models_of_one_family_have_names_of_their_own(models):
    found = scansion.look([models["lstm"], models["lstm"]], TEXT)
    assert [model.name for model in found.models] == ["lstm", "lstm-2"]


def test_arrays_are_kept_as_they_are(models, tmp_path):
    found = scansion.look([models["lstm"], models["transformer"]], TEXT)
    found.save(tmp_path / "look.html", tmp_path / "look.npz")
    with np.load(tmp_path / "look.npz") as arrays:
        assert np.array_equal(arrays["2_transformer_weights"], found.models[1].attention.weights)
        assert arrays["2_transformer_weights"].dtype == np.float32
        assert np.array_equal(arrays["1_lstm_contributions"], found.models[0].contributions)
        assert "1_lstm_forget_gate_reading_backwards" in arrays


def test_a_page_is_written_over_an_older_page_and_over_nothing_else(models, tmp_path):
    found = models["bag-of-words"].look(TEXT)
    page = tmp_path / "look.html"
    found.save(page)
    found.save(page)
    notes = tmp_path / "notes.html"
    notes.write_text("<p>mine</p>")
    with pytest.raises(UsageError, match="no page that scansion wrote"):
        found.save(notes)
    assert notes.read_text() == "<p>mine</p>"
    with pytest.raises(UsageError, match="is a folder"):
        found.save(tmp_path)
    with pytest.raises(UsageError, match=r"Try .*look\.npz"):
        found.save(page, tmp_path / "look.txt")


# --- the planted head: all others see their own position only, and the task takes looking at a neighbour -------------

LAYERS, HEADS = 1, 8


def plant(layer, head, monkeypatch):
    """From now on networks of LAYERS layers have one head that sees more than its own position."""
    begin, forward, numbers = MultiHeadAttention.__init__, MultiHeadAttention.forward, itertools.cycle(range(LAYERS))

    def numbered(self, width, heads):
        begin(self, width, heads)
        self.number = next(numbers)

    def planted(self, queries, keys_values, seen=None, causal=False):
        own = torch.eye(queries.shape[1], dtype=torch.bool)
        around = (torch.arange(HEADS) == head) & (self.number == layer)
        sees = own | around[:, None, None]
        return forward(self, queries, keys_values, sees if seen is None else sees & seen | own)

    monkeypatch.setattr(MultiHeadAttention, "__init__", numbered)
    monkeypatch.setattr(MultiHeadAttention, "forward", planted)


def colours_after_a_marker(rows, seed):
    """Texts with two colours each: the one behind the marker q is the answer."""
    random = np.random.default_rng(seed)
    texts, answers = [], []
    for _ in range(rows):
        answer, other = random.permutation(["red", "blue"]).tolist()
        words = [f"w{i}" for i in random.integers(0, 6, 7)]
        marker = int(random.integers(0, 6))
        words[marker : marker + 1] = ["q", answer]
        words.insert(int(random.choice([place for place in range(len(words) + 1) if place != marker + 1])), other)
        texts.append(" ".join(words))
        answers.append(answer)
    return texts, answers


def planted_head_ranks_first(seed, monkeypatch):
    random = np.random.default_rng(seed)
    place = int(random.integers(LAYERS)), int(random.integers(HEADS))
    plant(*place, monkeypatch)
    family = scansion.Transformer(
        width=32, heads=HEADS, layers=LAYERS, feed_forward=64, dropout=0.0, embedding_dropout=0.0, word_dropout=0.0,
        learning_rate=5e-3,
    )
    training = scansion.Training(
        min_epochs=30, max_epochs=30, min_batch_tokens=256, max_batch_tokens=256, label_smoothing=0.0
    )
    model = scansion.DocumentClassifier(family, training=training, processes=1, random_state=seed)
    model.fit(*colours_after_a_marker(800, seed))
    texts, answers = colours_after_a_marker(10, seed + 1_000)
    effects = np.mean([
        model.look(text, answer).models[0].attention.effects for text, answer in zip(texts, answers, strict=True)
    ], axis=0)
    monkeypatch.undo()
    return np.unravel_index(effects.argmax(), effects.shape) == place


@pytest.mark.long
def test_the_head_that_must_do_the_work_has_the_greatest_effect(monkeypatch):
    assert planted_head_ranks_first(0, monkeypatch)


@pytest.mark.long
def test_the_head_that_must_do_the_work_has_the_greatest_effect_in_nine_of_ten_seeds(monkeypatch):
    assert sum(planted_head_ranks_first(seed, monkeypatch) for seed in range(10)) >= 9
