"""The pages of models at work, as a browser shows them: with and without scripts, in the light and in the dark."""

import re
from dataclasses import replace

import numpy as np
import pytest

import scansion
from browser import needs_browser, opened, overflow, serious_violations
from scansion.learning.training import TranslationTraining
from scansion.viewer.page import HERE

TEXTS = [f"w{i % 7} w{i % 5} {'good' if i % 2 else 'bad'} w{i % 3}" for i in range(60)]
LABELS = ["up" if i % 2 else "down" for i in range(60)]
ONCE = scansion.Training(min_epochs=1, max_epochs=1)
TEXT = "w1 w2 <b>good</b> w3, and goodness knows"
HOSTILE = (
    "<script>document.title='bad'</script> \"quotes' & </p></script><style>body{display:none}</style> {{ 7 * 7 }} "
    "<img src=x onerror=document.title='bad'> مرحبا بالعالم שלום \u202e"
)


@pytest.fixture(scope="module")
def models():
    families = [
        "bag-of-words", scansion.LSTM(width=8), scansion.Transformer(width=16, heads=2, layers=2, feed_forward=16)
    ]
    return [
        scansion.DocumentClassifier(family, training=ONCE, processes=1, random_state=0).fit(TEXTS, LABELS)
        for family in families
    ]


@pytest.fixture(scope="module")
def translator():
    once = TranslationTraining(min_epochs=1, max_epochs=1)
    family = scansion.TransformerEncoderDecoder(width=16, heads=2, layers=2, feed_forward=16)
    return scansion.Translator(family, vocab_size=300, training=once, processes=1, random_state=0).fit(TEXTS, TEXTS)


@pytest.fixture(scope="module")
def pages(models, translator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    scansion.look(models, TEXT).save(folder / "documents.html")
    scansion.look(models, HOSTILE).save(folder / "hostile.html")
    translator.look("w1 unforgettable w3", "w4 unforgettable w2").save(folder / "translation.html")
    return folder


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1_600])
@pytest.mark.parametrize("name", ["documents", "translation"])
def test_a_page_is_for_everybody_at_any_width_by_day_and_night(pages, name, width, dark):
    with opened(pages / f"{name}.html", width, dark=dark) as page:
        page.wait_for_selector(".attention[data-ready=true]")
        assert overflow(page) <= 0
        assert serious_violations(page) == []


@needs_browser
@pytest.mark.parametrize("name", ["documents", "translation"])
def test_without_scripts_tokens_matrix_and_numbers_are_there(pages, name):
    with opened(pages / f"{name}.html", scripts=False) as page:
        assert page.locator(".still").first.is_visible()
        tokens = page.locator(".tokens").first.inner_text().split()
        assert "w1" in tokens or "w4" in tokens
        page.locator(".numbers summary").first.click()
        rows = page.locator(".numbers table").first.locator("tbody tr")
        assert rows.count() == page.locator(".tokens").first.locator("span").count()
        cells = rows.first.locator("td").all_inner_texts()
        if name == "documents":  # few tokens: every weight stands there, in hundredths
            assert sum(map(int, cells)) == pytest.approx(100, abs=len(cells) / 2)
        else:
            shares = [float(cell.split()[-1]) for cell in cells]
            assert shares == sorted(shares, reverse=True)


@needs_browser
def test_a_text_full_of_markup_and_of_two_directions_changes_nothing(pages):
    with opened(pages / "hostile.html") as page:
        page.wait_for_selector(".attention[data-ready=true]")
        assert page.title().startswith(("up", "down"))
        assert "{{ 7 * 7 }}" in page.locator("h1").inner_text()
        assert page.locator("h1").inner_text().startswith("<script>")
        assert page.locator("img[src=x]").count() == 0
        assert page.locator("body").is_visible()
        assert serious_violations(page) == []


@needs_browser
def test_a_word_is_followed_across_models_from_the_keyboard(pages, models):
    found = scansion.look(models, TEXT)
    with opened(pages / "documents.html") as page:
        page.keyboard.press("Tab")  # to the content
        page.keyboard.press("Tab")  # the first strip
        assert page.evaluate("document.activeElement.id") == "strip-1"
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        readout = page.locator(".readout").inner_text()
        assert readout.startswith("“goodness”")
        for model in found.models:
            assert f"{model.name} {model.contributions[-2]:+.3f}".replace("-", "−", 1) in readout.replace("-", "−", 1)
        assert page.locator("tr.active").count() == 3
        assert page.locator("#strip-3 .word.active").inner_text() == "goodness"


def weights_read(page, section):
    """The weights of the chosen row as the page tells them: (token, hundredths) of the three greatest."""
    told = page.locator(f"{section} .stage > p.soft").inner_text()
    return [(token, float(share)) for token, share in re.findall(r"“([^”]*)” ([\d.]+) %", told)]


@needs_browser
def test_heads_and_positions_are_chosen_from_the_keyboard_and_the_weights_are_the_models(pages, models):
    attention = scansion.look(models, TEXT).models[2].attention
    with opened(pages / "documents.html") as page:
        page.wait_for_selector(".attention[data-ready=true]")
        page.locator("[data-tile='3']").focus()
        page.keyboard.press("Enter")  # tile 0 is all heads: this is layer 2, head 1
        page.locator("#heads-3 .looking").focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("document.querySelector('#heads-3 .title').textContent === 'Layer 2, head 1'")
        page.wait_for_timeout(100)
        row = attention.weights[1, 0, 1]
        for (token, share), place in zip(weights_read(page, "#heads-3"), np.argsort(-row, kind="stable"), strict=False):
            assert share / 100 == pytest.approx(row[place], abs=0.01)
            assert token in attention.columns
        # tokens outside the frame of a picture are told by nobody
        assert page.locator("#heads-3 [role=option]").count() == len(attention.rows)


@needs_browser
def test_a_translation_is_stepped_through_and_each_step_shows_what_produced_its_word(pages, translator):
    found = translator.look("w1 unforgettable w3", "w4 unforgettable w2")
    across = found.attention[0]
    with opened(pages / "translation.html") as page:
        page.wait_for_selector("#heads-1[data-ready=true]")
        assert page.locator("#heads-1 .looking .active").inner_text().strip() == across.rows[0].strip()
        page.get_by_role("button", name="next word →").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
        assert page.locator("#heads-1 .looking .active").inner_text().strip() in (across.rows[1].strip(), "␣")
        # the row of a word is what the decoder looked at while it had read only the words before it
        direct = translator.attention("w1 unforgettable w3", "w4 unforgettable w2").across
        assert np.array_equal(across.weights, direct)
        (_, share), *_ = weights_read(page, "#heads-1")
        assert share / 100 == pytest.approx(across.together[1].max(), abs=0.01)
        page.locator("#heads-1 .other").focus()
        page.keyboard.press("Home")
        assert "is looked at by" in page.locator("#heads-1 .stage > p.soft").inner_text()


@needs_browser
@pytest.mark.parametrize("width", [390, 820, 1_000, 1_280])
def test_the_word_under_the_pointer_is_the_one_that_is_named_at_any_width(pages, models, width):
    names = scansion.look(models, TEXT).models[2].attention.rows
    with opened(pages / "documents.html", width) as page:
        page.wait_for_selector("#heads-3[data-ready=true]")
        page.wait_for_timeout(100)
        matrix = page.locator("#heads-3 canvas").first
        matrix.scroll_into_view_if_needed()
        for scale in ("none", "scale(.6, .8)"):  # the second as a magnifier would
            matrix.evaluate("(canvas, scale) => { canvas.style.transform = scale; }", scale)
            box = matrix.bounding_box()
            painted = matrix.evaluate("canvas => [canvas.style.width, canvas.style.height].map(parseFloat)")
            if scale == "none":
                assert [box["width"], box["height"]] == pytest.approx(painted, abs=0.5)
            # six pixels from the corner lies the cell of the last row and column
            page.mouse.move(box["x"] + box["width"] * (1 - 6 / painted[0]),
                            box["y"] + box["height"] * (1 - 6 / painted[1]))
            told = page.locator("#heads-3 .stage > p.soft").inner_text()
            assert re.findall(r"“([^”]*)”", told) == [names[-1].strip()] * 2
            page.mouse.move(box["x"] + box["width"] / 2, 0)


@needs_browser
@pytest.mark.parametrize("width", [390, 820, 1_000, 1_280])
def test_no_bar_is_printed_over_a_number(pages, width):
    with opened(pages / "documents.html", width) as page:
        crossed = page.evaluate("""() => [...document.querySelectorAll("td.bar, td.gauge")].filter(cell => {
            const [bar, number] = ["svg", ".number"].map(part => cell.querySelector(part).getBoundingClientRect());
            return bar.left < number.right && number.left < bar.right;
        }).length""")
        assert crossed == 0
        assert page.locator("td.bar").count() > 20


def test_parts_that_are_next_to_nothing_look_like_nothing_and_every_scale_is_printed(models):
    found = models[0].look(TEXT)
    strong = found.models[0]
    weak = replace(
        strong, contributions=0.001 * strong.contributions / np.abs(strong.contributions).max(),
        removals=tuple(replace(each, effect=-0.001) for each in strong.removals),
    )
    page = replace(found, models=(weak,)).html()
    assert max(map(float, re.findall(r"--tint: ([\d.]+)", page))) <= 0.001
    bars = re.findall(r'<rect class="(?:for|against)"[^>]* width="([\d.]+)"', page)
    assert max(map(float, bars)) <= 0.1
    assert page.count("bars to ±0.5") == 2
    many = replace(strong, contributions=4 * strong.contributions / np.abs(strong.contributions).max())
    page = replace(found, models=(many,)).html()
    assert max(map(float, re.findall(r"--tint: ([\d.]+)", page))) == 0.5
    assert "bars to ±4" in page


def test_a_translation_that_needs_no_word_more_than_another_is_not_coloured_as_if_it_did(translator):
    found = translator.look("w1 w3", "w4 w2")
    page = replace(found, lost=0.001 * np.sign(found.lost)).html()
    assert max(map(float, re.findall(r"--tint: ([\d.]+)", page))) <= 0.001
    assert "−0.5" in page


@needs_browser
def test_sub_words_become_words_on_request(pages, translator):
    across = translator.look("w1 unforgettable w3", "w4 unforgettable w2").attention[0]
    words = len(set(across.row_words))
    assert len(across.rows) > words
    with opened(pages / "translation.html") as page:
        page.wait_for_selector("#heads-1[data-ready=true]")
        page.locator("#heads-1 [type=checkbox]").focus()
        page.keyboard.press("Space")
        page.wait_for_function(f"document.querySelectorAll('#heads-1 .looking span').length === {words}")
        assert "unforgettable" in page.locator("#heads-1 .looking").inner_text()
        # a word's row is the mean of its subwords', a word's column their sum
        rows = [i for i, word in enumerate(across.row_words) if word == 0]
        columns = np.array(across.column_words)
        merged = across.together[rows].mean(axis=0)
        most = max(float(merged[columns == word].sum()) for word in set(across.column_words))
        page.wait_for_timeout(100)
        assert weights_read(page, "#heads-1")[0][1] / 100 == pytest.approx(most, abs=0.02)


@needs_browser
@pytest.mark.long
def test_two_thousand_tokens_are_painted_within_a_second_and_can_be_moved_through(models, tmp_path):
    text = " ".join(TEXTS[i % 60] for i in range(512))
    found = models[2].look(text)
    assert len(found.models[0].attention.rows) == 2_048
    found.save(tmp_path / "long.html")
    assert (tmp_path / "long.html").stat().st_size < 5e6
    with opened(tmp_path / "long.html") as page:
        page.wait_for_selector(".attention[data-ready=true]")
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        assert painted < 1_000
        assert "4 × 4 neighbouring tokens" in page.locator(".detail").inner_text()
        assert page.locator(".words tbody tr").count() == 400  # the strongest
        page.locator("#heads-1 .looking").focus()
        begun = page.evaluate("performance.now()")
        for _ in range(20):
            page.keyboard.press("ArrowRight")
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate("performance.now()") - begun < 4_000  # twenty times a matrix of 512 by 512
        assert "looks at" in page.locator("#heads-1 .stage > p.soft").inner_text()


def test_a_notebook_gets_the_page_in_a_frame_of_its_own(models):
    shown = models[0].look(HOSTILE)._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert "<script" not in shown.partition("srcdoc=")[2].partition(" sandbox")[0]


def test_a_page_says_what_the_model_answers_and_what_it_holds_of_the_answer_looked_at(models):
    found = models[0].look("w1 good", "down")
    assert models[0].predict(["w1 good"])[0] == "up"
    assert re.search(r"<b>bag-of-words</b> answers <b>up</b>; it holds <b>“down”</b> for \d", found.html())


def test_a_number_on_the_page_is_the_one_that_is_predicted():
    numbers = [150_000.0 if label == "up" else 90_000.0 for label in LABELS]
    model = scansion.DocumentRegressor("bag-of-words").fit(TEXTS, numbers)
    found = model.look("w1 good").models[0]
    (wanted,) = model.predict(["w1 good"])
    assert found.score == pytest.approx(wanted)
    assert found.base + found.contributions.sum() == pytest.approx(wanted)
    assert f"answers <b>{wanted:,.6g}</b>" in model.look("w1 good").html()
    assert "raises the number" in model.look("w1 good").html()


def test_the_script_is_small_and_asks_nobody():
    source = (HERE / "look.js").read_text(encoding="utf-8")
    assert len(source.encode()) < 60_000
    assert not re.search(r"fetch|XMLHttpRequest|import\(|https?:|eval\(|innerHTML", source)


def test_a_page_names_no_address_but_its_own_pictures(pages):
    for page in pages.glob("*.html"):
        source = page.read_text(encoding="utf-8")
        for address in re.findall(r"(?:src|href)=\"([^\"]*)\"", source):
            assert address.startswith(("data:", "#")), address[:80]
