"""The page of the claims as a reader sees it, and the document that is made from it."""

import json
from pathlib import Path

import pytest

from browser import needs_browser, opened, overflow, serious_violations
from scansion.claims.catalogue import CLAIMS
from scansion.claims.claims_folder import NAMES, markdown, picture_files
from scansion.viewer.claims_page import claims_page
from scansion.viewer.number_format import figure_shown

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def report() -> dict:
    return json.loads((DOCS / "claims/claims.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def page(report, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("claims") / "claims.html"
    file.write_text(claims_page(report), "utf-8")
    return file


def test_the_document_is_made_from_its_numbers(report):
    assert (DOCS / "claims.md").read_text("utf-8") == markdown(report, "claims/")
    for name, drawing in picture_files(report).items():
        assert (DOCS / "claims" / name).read_text("utf-8") == drawing, name
    assert [each["name"] for each in report["claims"]] == list(CLAIMS)
    assert picture_files(report).keys() <= NAMES
    assert not report["quick"]


def test_the_document_speaks_of_the_claims_and_bounds_that_the_code_has(report):
    for each in report["claims"]:
        claim = CLAIMS[each["name"]]
        assert each["sentence"] == claim.sentence
        bounds = [(one["figure"], one["least"], one["most"], one["core"]) for one in each["conditions"]]
        assert bounds == [(one.figure, one.least, one.most, one.core) for one in claim.conditions]


@pytest.mark.parametrize(("value", "unit", "shown"), [
    (0.4567, "%", "45.7 %"), (17_400, "", "17,400"), (1.23456, "s", "1.23 s"), (2.34e-10, "", "2.3 × 10⁻¹⁰"),
    (-3.0, "10^", "0.001"), (-15.3, "10^", "5 × 10⁻¹⁶"), (0, "", "0"), (2_048_000, "B", "2.0 MB"), (1e-4, "", "10⁻⁴"),
    (5e19, "", "5 × 10¹⁹"), (-0.25, "", "-0.25"), (9.94e-4, "", "9.9 × 10⁻⁴"),
])
def test_numbers_are_written_for_people(value, unit, shown):
    assert figure_shown(value, unit) == shown


@needs_browser
@pytest.mark.parametrize("dark", [True, False])
def test_in_a_browser_it_asks_for_nothing_is_accessible_and_fits_every_window(page, dark):
    with opened(page, dark=dark) as shown:
        assert not serious_violations(shown)
        for width in (390, 800, 1_280):
            shown.set_viewport_size({"width": width, "height": 900})
            assert overflow(shown) == 0, width


@needs_browser
def test_without_scripts_every_picture_has_its_sentence_and_its_numbers(report, page):
    pictures = sum(len(each["measured"]["pictures"]) for each in report["claims"])
    with opened(page, scripts=False) as shown:
        assert shown.locator("section.claim:visible").count() == len(report["claims"])
        assert shown.locator("figure figcaption:visible").count() == pictures
        assert shown.locator("figure details table").count() == pictures
        assert shown.locator("svg").count() == shown.locator("svg[aria-label]:visible").count() >= pictures
        shown.locator("figure summary").first.press("Enter")
        assert shown.locator("figure table").first.is_visible()


@needs_browser
def test_no_name_in_a_picture_hides_another(page):
    with opened(page, width=1_280) as shown:
        hidden = shown.evaluate("""[...document.querySelectorAll('svg')].flatMap(chart => {
            const texts = [...chart.querySelectorAll('text')];
            const boxes = texts.map(text => text.getBoundingClientRect());
            return boxes.flatMap((a, i) => boxes.slice(i + 1).flatMap((b, j) =>
                Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
                Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4
                    ? [texts[i].textContent + ' / ' + texts[i + 1 + j].textContent] : []));
        })""")
    assert hidden == []
