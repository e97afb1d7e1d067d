"""The page of a comparison, as a reader sees it: offline, without scripts, narrow and wide, light and dark."""

import json
import re
from html.parser import HTMLParser

import pytest

from browser import needs_browser, opened, overflow, serious_violations
from reports import ByError, made_up, texts_of
from scansion.viewer.charts import STRIP_WIDTH
from scansion.viewer.report import _digits, _strips, report_page
from scansion.viewer.scales import Scale

ROWS = 240
HOSTILE = (
    '<script>document.title = "stolen"</script> "\'&amp; </p><img src=http://a.example/x> שלום עולם \u202egnp.exe \x00'
)
TARGETS = {
    "two labels": ["no" if i * i % 7 % 2 else "yes" for i in range(ROWS)],
    "many labels": [f"label {(i * 37 % 100) // 6}" for i in range(ROWS)],
    "sets of labels": [tuple(label for k, label in enumerate("abc") if i >> k & 1) for i in range(ROWS)],
    "numbers": [i % 50 + 0.5 for i in range(ROWS)],
}


@pytest.mark.parametrize(
    ("low", "high"), [(1.799, 1.825), (0.701, 0.7136), (2.0, 31.0), (0.0, 1.0), (12_000.0, 13_100.0)]
)
def test_no_two_marks_of_an_axis_have_the_same_figure(low, high):
    told = [_digits(tick) for tick in Scale(low, high, 0, 100).ticks(6)]
    assert len(set(told)) == len(told) > 1


class Table(HTMLParser):
    """The cells of the first table of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside, self.done = False, False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "tr" and not self.done:
            self.rows.append([])
        if tag in ("td", "th") and not self.done:
            self.rows[-1].append("")
            self.inside = True
        if tag == "svg":
            self.inside = False

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.inside = False
        self.done = self.done or tag == "table"

    def handle_data(self, words):
        if self.inside and not self.done:
            self.rows[-1][-1] += words.strip()


@pytest.fixture(scope="module")
def reports() -> dict[str, dict]:
    found = {
        name: made_up(texts_of(ROWS), targets, curve=name == "two labels", failed="rnn" if name == "two labels" else "")
        for name, targets in TARGETS.items()
    }
    return {name: json.loads(json.dumps(each.report(), allow_nan=False)) for name, each in found.items()}


def test_the_table_holds_the_numbers_of_the_json(reports):
    for report in reports.values():
        shown = {row[1].rstrip(" †"): row for row in Table(report_page(report)).rows if len(row) > 3}
        for row in report["rows"]:
            if row["status"] == "failed":
                assert shown[row["family"]][3] == row["reason"]
                continue
            cells = shown[row["family"]]
            factor, digits = (100, 1) if report["in_hundredths"] else (1, 3)
            assert cells[0] == str(row["rank_group"])
            assert float(cells[2]) == pytest.approx(factor * row["score"], abs=0.51 * 10**-digits)
            assert [float(end) for end in cells[3].split(" to ")] == pytest.approx(
                [factor * row["low"], factor * row["high"]], abs=0.51 * 10**-digits
            )
            assert cells[5] == row["letters"]
            assert cells[11] == f"{100 * row['tokens_read_share']:.1f} %"
            assert cells[12] == str(row["seeds"])


def test_the_verdict_stands_in_words_at_the_top(reports):
    report = reports["two labels"]
    page = report_page(report)
    assert page.index(f"<h1>Use {report['verdict']['family']}</h1>") < page.index("<table")
    for words in ("reason", "rule", "change"):
        assert report["verdict"][words] in page


def test_the_counts_of_a_confusion_add_up_to_the_test_rows_even_where_labels_are_put_together(reports):
    for name, labels in (("two labels", 2), ("many labels", 12)):
        report = reports[name]
        (table,) = re.findall(r"<table class=\"counts\">\n<caption><span class=\"family[^>]*>lstm</span>.*?</table>",
                              report_page(report), re.DOTALL)
        counts = [int(count) for count in re.findall(r"--share: [\d.]+\">(\d+)<", table)]
        assert len(counts) == labels**2
        assert sum(counts) == report["test_rows"]
    assert "Of 17 labels these are the 11 most frequent" in report_page(reports["many labels"])


def test_every_section_a_task_has_is_there_and_none_it_has_not(reports):
    heads = {name: re.findall(r"<h2 id=\"\w+\">(.*?)</h2>", report_page(report)) for name, report in reports.items()}
    shared = ["Scores and costs", "Cost against score", "Length"]
    after = ["Shared errors", "Where they disagree", "Paired tests", "How it was made"]
    assert heads["two labels"] == [*shared, "Learning curve", "Calibration", "Confusion", *after]
    assert heads["many labels"] == [*shared, "Calibration", "Confusion", *after]
    assert heads["sets of labels"] == [*shared, "Calibration", "Labels", *after]
    assert heads["numbers"] == [*shared, "Predicted and true", *after]


def test_which_way_is_better_is_told_and_a_baseline_off_the_scale_is_pointed_at(reports):
    assert "Up is better." in report_page(reports["numbers"])
    errors = made_up(texts_of(ROWS), TARGETS["numbers"], scoring=ByError).report()
    page = report_page(errors)
    assert "Down is better." in page
    assert "Up is better." not in page
    assert page.index("<h1>Use transformer") < page.index("<table")
    assert [row["family"] for row in errors["rows"]][-1] == errors["baseline"] == "mean"
    drawn = _strips(errors, errors["rows"])["families"]
    (arrow,) = drawn["mean"].strokes
    assert float(arrow.points.split()[1].split(",")[0]) == STRIP_WIDTH - 8
    assert not drawn["mean"].marks
    assert all(len(drawn[row["family"]].marks) == 1 for row in errors["rows"][:-1])


def test_a_report_of_nothing_but_failures_is_still_a_page(reports):
    report = reports["two labels"]
    empty = report | {
        "rows": [row for row in report["rows"] if row["status"] == "failed"], "pairs": [], "by_length": [],
        "baseline": None, "calibration": {}, "disagreements": [], "learning_curve": {"points": [], "overtakings": []},
        "verdict": {"family": None, "rule": "a rule", "reason": "No family has a score.", "change": ""},
        "confusion": {"labels": [], "cells": {}}, "shared_errors": {"families": [], "measure": "", "values": []},
        "interrupted": True,
    }
    page = report_page(empty)
    assert "No family to choose" in page
    assert "it ran out of memory." in page
    assert "Interrupted" in page


def test_what_a_document_says_is_text_and_nothing_else():
    texts = [f"{HOSTILE} {i}" for i in range(60)]
    labels = ["<b>bold</b>" if i % 2 else '"><i>' for i in range(60)]
    page = report_page(made_up(texts, labels).report())
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;document.title = &#34;stolen&#34;" in page


def test_a_long_text_is_shortened_and_kept_whole_behind_it():
    texts = [f"{i} " + "word " * (4_000 if i % 2 else 80) for i in range(60)]
    page = report_page(made_up(texts, ["up" if i % 3 else "down" for i in range(60)]).report())
    assert "All 40" in page
    assert "The first 10,000 of 20,00" in page


@needs_browser
@pytest.mark.parametrize(
    ("name", "dark"), [("two labels", True), ("two labels", False), ("many labels", False), ("sets of labels", True),
                       ("numbers", False)],
)
def test_in_a_browser_it_asks_for_nothing_is_accessible_and_fits_every_window(reports, name, dark, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(report_page(reports[name]), encoding="utf-8")
    with opened(file, dark=dark) as page:
        assert not serious_violations(page)
        for width in (360, 600, 1_200, 1_600):
            page.set_viewport_size({"width": width, "height": 900})
            assert overflow(page) == 0, width


@needs_browser
def test_without_scripts_all_of_it_is_shown(reports, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(report_page(reports["two labels"]), encoding="utf-8")
    with opened(file, scripts=False) as page:
        assert page.locator("section:visible").count() == page.locator("section").count() == 10
        assert page.locator("svg").count() == page.locator("svg:visible").count() > 20
        page.locator("summary").first.press("Enter")
        assert page.locator("details").first.locator("table").is_visible()


@needs_browser
def test_the_keyboard_reaches_every_link_every_summary_and_every_wide_table(reports, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(report_page(reports["many labels"]), encoding="utf-8")
    with opened(file, width=360) as page:
        wanted = page.locator("a:visible, summary:visible, .scroll:visible").count()
        met = set()
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            met.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        assert len(met) >= wanted


@needs_browser
def test_hostile_documents_change_nothing(tmp_path):
    texts = [f"{HOSTILE} {i}" for i in range(60)]
    labels = ["<b>bold</b>" if i % 2 else '"><i>' for i in range(60)]
    made_up(texts, labels).save(tmp_path / "report")
    with opened(tmp_path / "report" / "report.html", width=360) as page:
        assert "stolen" not in page.title()
        assert page.locator("img, script, i, b").count() == 0
        assert overflow(page) == 0


@needs_browser
def test_no_name_in_a_chart_hides_another(reports, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(report_page(reports["numbers"]), encoding="utf-8")
    with opened(file) as page:
        hidden = page.evaluate("""[...document.querySelectorAll('svg.chart')].flatMap(chart => {
            const boxes = [...chart.querySelectorAll('text')].map(text => text.getBoundingClientRect());
            return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
                Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
                Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4));
        }).length""")
    assert hidden == 0


def test_the_page_is_the_same_for_the_same_report(reports):
    assert report_page(reports["numbers"]) == report_page(reports["numbers"])
