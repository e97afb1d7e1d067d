"""Language models as estimators: what a text costs in bits, what is learned, kept, written and compared."""

import numpy as np
import pytest
from sklearn.base import clone

import scansion
from scansion.errors import DataError, NotFittedError, UsageError
from scansion.models.fitted_language import document_sizes
from scansion.randomness import stream
from scansion.tasks.language import LANGUAGE, LanguageScoring, compared_documents, in_blocks

UNITS = ["characters", "bytes", "words", "subwords"]


def sentences(count: int, seed: int = 0) -> list[str]:
    random = stream(seed, "sentences")
    subjects, verbs = ["the king", "a queen", "the old fool", "no man"], ["sleeps", "wakes", "is dead", "drinks wine"]
    drawn = random.integers((4, 4, 2), size=(count, 3)).tolist()
    return [f"{subjects[subject]} {verbs[verb]}{'.!'[mark]}" for subject, verb, mark in drawn]


@pytest.fixture(scope="module")
def models():
    return {tokens: scansion.LanguageModel(tokens=tokens, random_state=0).fit(sentences(200)) for tokens in UNITS}


@pytest.mark.parametrize("tokens", UNITS)
def test_bits_of_tokens_add_up_to_bits_of_texts_and_to_bits_per_byte(models, tokens):
    model, texts = models[tokens], [*sentences(20, seed=1), "", "Ünïcödé never seen 🙂"]
    surprisal = model.surprisal(texts)
    bits = np.array([each.bits.sum() for each in surprisal])
    np.testing.assert_allclose(bits, model.bits(texts))
    assert ["".join(each.tokens[:-1]).removeprefix(" ") for each in surprisal[:20]] == texts[:20]
    sizes = np.array([len(text.encode()) + 1 for text in texts])
    score = model.evaluate(texts)
    assert score.bits_per_byte == pytest.approx(bits.sum() / sizes.sum())
    assert score.nats_per_token == pytest.approx(bits.sum() * np.log(2) / sum(len(each.bits) for each in surprisal))
    assert score.perplexity == pytest.approx(np.exp(score.nats_per_token))
    assert score.low < score.bits_per_byte < score.high
    assert model.score(texts) == -score.bits_per_byte
    np.testing.assert_allclose(model.predict(texts), bits / sizes)


@pytest.mark.parametrize("tokens", UNITS)
def test_what_is_like_the_training_texts_takes_fewer_bits_than_the_baseline_needs(models, tokens):
    texts = sentences(50, seed=1)
    baseline = scansion.LanguageModel("unigram", tokens=tokens).fit(sentences(200))
    assert models[tokens].evaluate(texts).bits_per_byte < 0.5 * baseline.evaluate(texts).bits_per_byte


@pytest.mark.parametrize("tokens", UNITS)
def test_a_saved_model_is_the_same(models, tokens, tmp_path):
    models[tokens].save(tmp_path / "m")
    again, texts = scansion.load(tmp_path / "m"), [*sentences(5, seed=2), "Ünïcödé"]
    assert np.array_equal(again.bits(texts), models[tokens].bits(texts))
    assert again.evaluate(texts) == models[tokens].evaluate(texts)
    assert again.generate("the", random_state=1) == models[tokens].generate("the", random_state=1)


def test_the_signature_names_every_rule_that_a_score_depends_on(models):
    assert models["words"].evaluate(sentences(3)).signature == (
        f"tokens:words|vocabulary:{len(models['words'].fitted_.units)}|unknown:spelled in UTF-8|documents:rows|"
        "end:scored, 1 B|line ends:LF|context:5 tokens of the document"
    )


def test_units_are_chosen_by_size_and_said(monkeypatch):
    model = scansion.LanguageModel().fit(sentences(20))
    assert model.fitted_.units.name == "characters"
    assert "up to 2,000,000 they are characters" in model.fit_report_.notes[0]
    monkeypatch.setattr("scansion.text.text_units.FEW_CHARACTERS", 100)
    assert scansion.LanguageModel().fit(sentences(20)).fitted_.units.name == "subwords"


def test_what_is_not_in_the_vocabulary_is_counted(models):
    assert models["words"].coverage(["the king", "the zyx"]).tolist() == [[3, 3], [2, 6]]


def test_it_follows_scikit_learn():
    model = scansion.LanguageModel(scansion.KneserNey(order=3), tokens="words")
    assert repr(clone(model)) == repr(model) == "LanguageModel(family=KneserNey(order=3), tokens='words')"
    with pytest.raises(NotFittedError, match="Call fit"):
        model.score(["a"])
    with pytest.raises(UsageError, match="Expected a list of texts, got one text"):
        model.fit("one text")
    with pytest.raises(DataError, match="There is no text to learn from"):
        model.fit(["", ""])
    with pytest.raises(UsageError, match="There is no text to score"):
        model.fit(sentences(5)).evaluate([])
    with pytest.raises(UsageError, match="'lstm-without-attention' is a family for translation"):
        scansion.LanguageModel("lstm-without-attention").fit(sentences(5))


# Writing


@pytest.mark.parametrize("tokens", UNITS)
def test_a_prompt_is_gone_on_with_alone_as_among_others(models, tokens):
    prompts = ["the king", "", "no man is", "the king", "🙂"]
    together = models[tokens].generate(prompts, 30, random_state=3)
    for number in (0, 1, 2, 4):
        assert models[tokens].generate(prompts[number], 30, random_state=3) == together[number]
    assert together[0] != together[3] or tokens == "words"
    assert models[tokens].generate(prompts, 30, random_state=3) == together


@pytest.mark.parametrize("tokens", UNITS)
def test_the_likeliest_text_is_drawn_from_the_model_itself(models, tokens):
    model = models[tokens]
    text = model.generate("the old", temperature=0)
    assert text.startswith(" fool ")
    assert text.endswith((".", "!"))


def test_a_text_ends_before_a_stop_and_what_may_begin_one_is_held_back(models):
    model = models["characters"]
    whole = model.generate("the old", temperature=0)
    assert model.generate("the old", temperature=0, stop=["zzz", whole[4:7]]) == whole[:4]
    pieces = [text for _, text in model.generating(["the old"], temperature=0, stop=[whole[-1] + "?"])]
    assert "".join(pieces) == whole
    assert len(pieces) > 3


def test_no_more_tokens_are_written_than_were_asked_for(models):
    for most in (1, 2, 7):
        assert len(models["characters"].generate("th", most, random_state=0, stop=[])) <= most
    assert len(models["characters"].generate("th", 3, temperature=0)) == 3


def test_a_character_in_several_bytes_comes_whole():
    model = scansion.LanguageModel(tokens="bytes").fit(["日本語の日本語の日本語"] * 3)
    pieces = [text for _, text in model.generating(["日"], 12, temperature=0)]
    assert "".join(pieces) == "本語の日"
    assert all(len(piece) == 1 for piece in pieces)


@pytest.mark.parametrize("options", [{"max_tokens": 0}, {"stop": [""]}, {"top_p": 2.0}, {"temperature": -1.0}], ids=str)
def test_what_cannot_be_written_is_refused_before_anything_is(models, options):
    with pytest.raises(UsageError):
        models["words"].generating(["a"], **options)


# Comparing


def test_few_documents_are_cut_into_blocks_that_are_the_text():
    text = "\n".join(sentences(900))
    blocks = in_blocks([text, "short"])
    assert "".join(blocks) == text + "short"
    assert 25 <= len(blocks) <= 60
    assert all(block.endswith("\n") for block in blocks[:-2])
    assert "".join(in_blocks(["x" * 10_000])) == "x" * 10_000


def test_the_last_documents_are_the_test():
    texts = sentences(100)
    data = compared_documents(texts, (), "language", None, None, None, 0.2, 0)
    (train, test), = data.folds
    assert train.tolist() == list(range(80))
    assert test.tolist() == list(range(80, 100))
    assert data.targets == document_sizes(texts, "rows").tolist()
    given = compared_documents(texts, (), "language", (sentences(30, seed=1), ()), None, None, 0.2, 0)
    assert len(given.folds[0][1]) == 30
    folds = compared_documents(texts, (), "language", None, None, 4, 0.2, 0).folds
    assert sorted(row for _, test in folds for row in test) == list(range(100))


def test_too_little_text_to_compare_on_is_said():
    with pytest.raises(DataError, match="too little text to compare on"):
        compared_documents(["a"], (), "language", None, None, None, 0.2, 0)


def test_scores_are_ratios_and_pairs_are_tested_on_the_same_documents():
    data = compared_documents(sentences(100), (), "language", None, None, None, 0.2, 0)
    scoring, random = LanguageScoring(data), stream(0, "bits")
    sizes = np.array(data.targets[80:])
    good, bad = 2.0 * sizes + random.normal(size=20), 3.0 * sizes + random.normal(size=20)
    found = scoring.interval([scoring.prediction(good.tolist())])
    assert found.score == pytest.approx(good.sum() / sizes.sum())
    assert found.low < found.score < found.high
    pairs, adjusted = scoring.paired_tests({"good": [good], "bad": [bad]})
    assert pairs["good", "bad"].difference == pytest.approx((good.sum() - bad.sum()) / sizes.sum())
    assert adjusted[0, 1] < 0.001
    same, _ = scoring.paired_tests({"a": [good], "b": [good]})
    assert same["a", "b"].p_value == 1


def test_the_task_says_which_files_are_its_own(tmp_path):
    (tmp_path / "corpus.txt").write_text("a\nb\n")
    (tmp_path / "table.csv").write_text("text,label\na,b\n")
    assert LANGUAGE.takes([str(tmp_path / "corpus.txt")])
    assert not LANGUAGE.takes([str(tmp_path / "table.csv")])
    assert not LANGUAGE.takes([str(tmp_path / "corpus.txt")] * 2)


@pytest.mark.usefixtures("warm_processes")
def test_families_are_compared_and_the_lower_wins():
    found = scansion.compare(sentences(150), families="n-grams", task="language")
    assert [row.family for row in found.rows] == ["n-grams", "unigram"]
    assert found.metric.name == "bits_per_byte"
    assert found.verdict.family == "n-grams"
    assert found.rows[0].score < found.rows[1].score
