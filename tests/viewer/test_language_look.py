"""The page of language models at work: what it tells is what the models say, and everybody can read it."""

import json

import numpy as np
import pytest

import scansion
from browser import needs_browser, opened, overflow, serious_violations
from scansion.errors import UsageError
from scansion.inspection.language_page import look_at_language, words_of
from scansion.learning.training import LanguageTraining
from scansion.viewer.language_look import visible

TEXTS = [f"the {animal} sat on the {place}." for animal in ("cat", "dog", "hen", "fox") for place in ("mat", "log")] * 6
ONCE = LanguageTraining(max_tokens=1, min_epochs=1, max_epochs=1)
TEXT = "the cat sat\non the dog, "
HOSTILE = "<script>document.title='bad'</script> \"quotes' & </p></script> {{ 7 * 7 }} مرحبا \u202e\U0001f600"
NETWORK = scansion.CausalTransformer(width=16, heads=2, layers=2, feed_forward=16, context=8)


@pytest.fixture(scope="module")
def models():
    kinds = (NETWORK, "characters"), (scansion.Interpolated(order=3, network=NETWORK), "characters"), (
        "n-grams", "words"), (scansion.LSTMLanguageModel(width=8, hidden_size=8), "bytes")
    return [
        scansion.LanguageModel(family, tokens=tokens, training=ONCE, processes=1, random_state=0).fit(TEXTS)
        for family, tokens in kinds
    ]


def fitted(models):
    return [model.check_fitted() for model in models]


@pytest.fixture(scope="module")
def found(models):
    return look_at_language(fitted(models), TEXT)


@pytest.fixture(scope="module")
def pages(models, found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    found.save(folder / "language.html")
    look_at_language(fitted(models), HOSTILE).save(folder / "hostile.html")
    look_at_language(fitted(models[:1]), "").save(folder / "empty.html")
    return folder


def test_bits_are_those_of_the_score_and_words_have_all_of_them(models, found):
    assert "".join(found.words()) == TEXT
    for model, seen in zip(models, found.models, strict=True):
        (surprisal,) = model.surprisal([TEXT])
        np.testing.assert_allclose(seen.bits, surprisal.bits)
        assert "".join(seen.tokens) == TEXT
        assert found.bits_of_words(seen).sum() == pytest.approx(seen.bits[:-1].sum())
        assert seen.bits_per_byte == pytest.approx(model.predict([TEXT])[0])


def test_candidates_are_the_likeliest_in_their_place_and_the_taken_one_has_its_bits(found):
    for seen in found.models:
        assert len(seen.candidates) == len(seen.tokens) + 1 == len(seen.bits)
        for token, bits, candidates in zip(seen.tokens, seen.bits, seen.candidates, strict=False):
            shares = [each.probability for each in candidates]
            assert shares == sorted(shares, reverse=True)
            mine = [each.probability for each in candidates if each.token.strip() == token.strip() != ""]
            assert not mine or any(-np.log2(share) == pytest.approx(bits, abs=1e-3) for share in mine)


def test_heads_look_only_back_and_each_has_its_effect(found):
    for seen in found.models[:2]:
        weights = seen.attention.weights
        assert weights.shape == (2, 2, 8, 8)
        assert not np.triu(weights, 1).any()
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
        assert seen.attention.effects.shape == (2, 2)
        assert seen.fidelity < 1e-4
        assert seen.window[1] > 1
        assert seen.attention.rows[0] == "[begin]"
    assert [seen.attention for seen in found.models[2:]] == [None, None]


def test_of_a_long_text_another_window_is_looked_at(models, found):
    (seen,) = look_at_language(fitted(models[:1]), TEXT, window=2).models
    assert seen.attention.rows == ("[begin]", *TEXT)[4:12]
    with pytest.raises(UsageError, match="There is no window 99"):
        look_at_language(fitted(models[:1]), TEXT, window=99)


def test_words_begin_behind_blanks():
    assert words_of(["th", "e", " ", "ca", "t", " sat", "\n", "on"]) == [0, 0, 0, 1, 1, 2, 2, 3]
    assert visible(" a\n") == "␣a↵"


@needs_browser
@pytest.mark.parametrize(("width", "dark"), [(390, True), (800, False), (1_280, False)])
def test_the_page_is_for_everybody_at_any_width_by_day_and_night(pages, width, dark):
    with opened(pages / "language.html", width, dark=dark) as page:
        page.wait_for_selector(".attention[data-ready=true]")
        assert overflow(page) <= 0
        assert serious_violations(page) == []


@needs_browser
def test_a_word_and_a_token_are_asked_from_the_keyboard(pages, found):
    with opened(pages / "language.html") as page:
        page.wait_for_selector(".attention[data-ready=true]")
        page.locator("#strip-1").focus()
        page.keyboard.press("Home")
        told = page.locator(".readout").first.inner_text()
        assert told.startswith("“the”: transformer ")
        assert f"{found.bits_of_words(found.models[0])[0]:.1f} bits" in told
        page.locator("#told-1 .pieces").focus()
        page.keyboard.press("End")
        told = page.locator("#told-1 .readout").inner_text()
        assert told.startswith(f"“␣” took {found.models[0].bits[-2]:.1f} bits")
        assert visible(found.models[0].candidates[-2][0].token) in told


@needs_browser
def test_without_scripts_the_text_the_surprises_and_what_comes_next_are_there(pages, found):
    with opened(pages / "language.html", scripts=False) as page:
        assert page.locator(".surprises").first.is_visible()
        rows = page.locator(".next").first.locator("tbody tr")
        assert rows.first.inner_text().split()[0] == visible(found.models[0].candidates[-1][0].token)


@needs_browser
@pytest.mark.parametrize("name", ["hostile", "empty"])
def test_a_text_full_of_markup_and_no_text_change_nothing(pages, name):
    with opened(pages / f"{name}.html") as page:
        page.wait_for_selector(".next")
        assert page.title().startswith("transformer")
        assert page.locator("body").is_visible()
        assert serious_violations(page) == []
        if name == "hostile":
            assert "{{ 7 * 7 }}" in page.locator("h1").inner_text()


def test_the_arrays_are_kept_in_full(found, tmp_path):
    found.save(tmp_path / "look.html", tmp_path / "look.npz")
    kept = np.load(tmp_path / "look.npz")
    np.testing.assert_array_equal(kept["1_transformer_bits"], found.models[0].bits)
    assert {"2_interpolated_weights", "3_n-grams_tokens"} <= set(kept)
    assert json.dumps(kept["words"].tolist())
