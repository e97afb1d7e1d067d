"""What a budget did not suffice for has no score, no rank and no place in any chart, and is listed with the reason."""

import json
import os

import numpy as np
import pytest
from rich.console import Console

from reports import UNTRAINED, made_up, texts_of
from scansion.cli.compare import _judge
from scansion.comparison import estimate, fit_and_score
from scansion.comparison.compare import compare
from scansion.comparison.report_folder import markdown
from scansion.comparison.result import NOT_TRAINED
from scansion.comparison.run import Run
from scansion.comparison.run_process import follow
from scansion.comparison.runs import write_data
from scansion.comparison.schedule import Allowed
from scansion.comparison.table import render
from scansion.errors import SomeFamiliesFailedError
from scansion.families.rnn import RNN
from scansion.learning.training import LanguageTraining
from scansion.tasks.documents import CLASSIFY
from scansion.tasks.language import LANGUAGE
from scansion.viewer.report import report_page

ROWS = 240
LABELS = ["no" if i * i % 7 % 2 else "yes" for i in range(ROWS)]
NEVER, ONCE = "lstm + own", "transformer"
TEXTS = [f"{word} film number {i}" for i in range(20) for word in ("good", "bad")]
ANSWERS = [text.split()[0] for text in TEXTS]


@pytest.fixture(scope="module")
def comparison():
    return made_up(texts_of(ROWS), LABELS, curve=True, untrained={(NEVER, 0), (NEVER, 1), (ONCE, 1)})


@pytest.fixture(scope="module")
def shown(comparison):
    """The comparison for a terminal, as Markdown and as a page."""
    console = Console(width=160, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    with console.file:
        console.print(render(comparison, 160))
        text = console.export_text()
    report = json.loads(json.dumps(comparison.report(), allow_nan=False))
    return {"terminal": text, "markdown": markdown(report), "page": report_page(report)}


def test_it_is_listed_last_with_its_reason_and_without_a_score_or_rank(comparison, shown):
    row = comparison.rows[-1]
    assert (row.family, row.status, row.reason) == (NEVER, NOT_TRAINED, f"{UNTRAINED}.")
    assert (row.score, row.rank_group, row.letters, row.seeds) == (None, None, "", 0)
    assert comparison.not_trained == (row,)
    assert not comparison.failed
    assert f"{NEVER} was not trained in this budget: {UNTRAINED}." in shown["terminal"]
    assert f"| | {NEVER} | not trained | {UNTRAINED}. |" in shown["markdown"]
    assert shown["page"].count(UNTRAINED) == 2  # in the table, and of the seed that another family lacks


def test_it_is_in_no_test_slice_curve_chart_or_evidence(comparison, shown):
    assert NEVER not in comparison.names
    assert not any(NEVER in pair for pair in comparison.pairs)
    assert not any(NEVER in part.scores for part in comparison.by_length)
    assert NEVER not in {point.family for point in comparison.learning_curve.points}
    report = comparison.report()
    assert not any(NEVER in report[part] for part in ("calibration", "confusion", "shared_errors"))
    assert NEVER not in report["confusion"]["cells"]
    drawings = [part.partition("</svg>")[0] for part in shown["page"].split("<svg")[1:]]
    assert drawings
    assert not any(NEVER in drawing for drawing in drawings)


def test_the_verdict_and_the_json_say_so(comparison):
    assert comparison.verdict.family != NEVER
    assert f"{NEVER} was not trained in this budget: give more time to compare with." in comparison.verdict.change
    row = comparison.to_json()["rows"][-1]
    assert (row["family"], row["status"], row["score"], row["rank_group"]) == (NEVER, NOT_TRAINED, None, None)
    assert row["reason"] == f"{UNTRAINED}."
    assert NEVER in comparison._repr_html_()
    frame = pytest.importorskip("pandas") and comparison.to_frame()
    assert frame["score"].isna().tolist() == [False] * (len(frame) - 1) + [True]


def test_a_family_with_fewer_seeds_than_were_planned_has_those_and_says_so(comparison, shown):
    row = next(row for row in comparison.rows if row.family == ONCE)
    assert (row.status, row.seeds, row.seeds_planned, len(row.scores_by_seed)) == ("ok", 1, 2, 1)
    assert row.cut_short
    assert row.notes[-1] == f"1 of 2 seeds; another was not trained in this budget: {UNTRAINED}"
    assert row.seed_error == 0
    assert "1 of 2" in shown["markdown"]
    assert "1 of 2" in shown["page"]
    assert f"{ONCE}: 1 of 2 seeds; another was not trained" in shown["terminal"]
    others = [each for each in comparison.rows if each.family not in (ONCE, NEVER)]
    assert all(each.seeds == each.seeds_planned for each in others)


def test_a_rank_and_a_letter_are_what_the_tests_say(comparison):
    where = {name: number for number, name in enumerate(comparison.names)}
    rows = [row for row in comparison.rows if row.score is not None]
    for one in rows:
        for other in rows:
            different = comparison.adjusted[where[one.family], where[other.family]] < 0.05
            assert bool(set(one.letters) & set(other.letters)) != different
            if one.rank_group == other.rank_group:
                assert not different


def test_it_is_no_failure_unless_nothing_was_trained(comparison):
    _judge(comparison, 0.5, None)
    nothing = made_up(texts_of(60), LABELS[:60], untrained={
        (row.family, seed) for row in comparison.rows if row.family != "majority" for seed in (0, 1)
    })
    assert [row.status for row in nothing.rows] == ["ok", *[NOT_TRAINED] * 7]
    assert nothing.verdict.family is None
    with pytest.raises(SomeFamiliesFailedError, match="No family was trained in this budget"):
        _judge(nothing, 0.9, None)


def test_when_not_even_the_baseline_has_a_score_every_page_is_still_made(tmp_path):
    nothing = made_up(texts_of(60), LABELS[:60], untrained={
        (family, seed) for family in ("majority", *(row.family for row in made_up(texts_of(60), LABELS[:60]).rows))
        for seed in (0, 1)
    })
    nothing.save(tmp_path / "report")
    assert "No family has a score" in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")


# --- runs


@pytest.fixture
def folder(tmp_path):
    rows = np.arange(len(TEXTS))
    write_data(tmp_path, TEXTS, ANSWERS, [(rows[:30], rows[30:])])
    return tmp_path


def test_a_fit_without_a_whole_epoch_leaves_a_reason_and_no_answers(folder, capsys):
    place = folder / "run"
    place.mkdir()
    wanted = {"family": "rnn", "options": {"width": 8}, "seed": 0, "fold": 0, "task": "classify", "processes": 1,
              "arguments": {}, "budget": 0.001}
    (place / "run.json").write_text(json.dumps(wanted))
    fit_and_score.work(folder, place)
    assert json.loads((place / "untrained.json").read_text()) == "its first epoch was not done after 0 steps"
    assert not (place / "cost.json").exists()


def test_a_run_that_does_not_end_is_ended_and_was_not_trained(folder):
    *_, outcome = follow(folder, Run("rnn", RNN(), 0, 0, "classify", 1), Allowed(fit=100.0, process=0.2))
    assert outcome.untrained.startswith("it was stopped after 0.2 s (")
    assert not outcome.failure


def test_what_families_need_is_estimated_from_a_sample(tmp_path, capsys):
    data = CLASSIFY.compared.data(TEXTS * 3, ANSWERS * 3, "classify", None, None, None, 0.5, 0)
    plain = {"seed": 0, "fold": 0, "task": "classify", "processes": None, "arguments": {"class_weight": None}}
    estimate.write_sample(tmp_path, data, [
        plain | {"label": "bag-of-words", "family": "bag-of-words", "options": {}},
        plain | {"label": "rnn", "family": "rnn", "options": {"width": 8}},
        plain | {"label": "rnn + own", "family": "rnn", "options": {"width": 8}, "arguments": {"pretrain": "own"}},
        plain | {"label": "broken", "family": "rnn", "options": {"learning_rate": 1e30}},
    ])
    estimate.work(tmp_path)
    started, *told = map(json.loads, capsys.readouterr().out.splitlines())
    assert started == {"started": True}
    assert [each["label"] for each in told] == ["bag-of-words", "rnn", "rnn + own"]
    assert all(0 < each["first"] < 60 and 0 < each["answer"] < 60 for each in told)


def test_of_a_long_text_no_more_is_estimated_than_what_is_enough(tmp_path, capsys, monkeypatch):
    texts = [" ".join(TEXTS)] * 40
    data = LANGUAGE.compared.data(texts, None, "language", None, None, None, 0.5, 0)
    one = {"seed": 0, "fold": 0, "task": "language", "processes": None, "arguments": {"tokens": "characters"},
           "label": "rnn", "family": "rnn", "options": {"width": 8, "hidden_size": 8}}
    first = []
    for enough in (1e9, 1.0):
        monkeypatch.setattr(LanguageTraining, "enough_tokens", enough)
        estimate.write_sample(tmp_path, data, [one])
        sample = json.loads((tmp_path / "sample.json").read_text())
        (tmp_path / "sample.json").write_text(json.dumps(sample | {"train_characters": 10**9}))
        estimate.work(tmp_path)
        first.append(json.loads(capsys.readouterr().out.splitlines()[-1])["first"])
    assert first[1] < 100 < first[0]


def test_a_budget_that_is_too_small_leaves_a_comparison_without_scores_in_time():
    comparison = compare(TEXTS, ANSWERS, ["rnn", "bag-of-words"], budget=0.1, seeds=2)
    assert {row.family: row.status for row in comparison.rows} == {
        "majority": "ok", "rnn": NOT_TRAINED, "bag-of-words": NOT_TRAINED
    }
    assert {row.reason for row in comparison.not_trained} == {"the budget was spent before its turn."}
    assert comparison.facts["seconds"] < 60
