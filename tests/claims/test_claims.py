"""The claims on tiny budgets: each gives a finding of the promised shape, and the command tells and keeps it."""

import json
import multiprocessing
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scansion
from scansion.claims import run_claims, side_by_side, state_tasks
from scansion.claims.catalogue import CLAIMS
from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Condition, Measurement, exact
from scansion.claims.sequences import LIVE, WORK, order_pairs, recall_of_pairs
from scansion.claims.state_tasks import TASKS, brackets, counted, parity
from scansion.cli.main import carry_out
from scansion.errors import ScansionError, UsageError

TALK = ("order", "dimensions", "vanishing-gradients", "depth", "training-difficulty", "transfer", "attention-looks",
        "n-squared", "heads", "positions", "relu", "bottleneck", "lstm-lives")
QUICKEST = ("order", "dimensions", "depth", "attention-looks", "n-squared", "positions", "bottleneck", "lstm-lives")
LINES = 120
SOURCE = Path(run_claims.__file__).parent


def test_every_claim_of_the_talk_is_there_and_says_what_it_is():
    assert tuple(CLAIMS) == TALK
    for name, claim in CLAIMS.items():
        assert claim.name == name
        assert all((claim.sentence, claim.source, claim.predicted, claim.conditions))
        assert any(condition.core for condition in claim.conditions)


def test_a_claims_file_is_one_screenful_that_opens_with_the_claim():
    for module, _ in CLAIMS.places.values():
        text = (SOURCE / f"{module.rpartition('.')[2]}.py").read_text("utf-8")
        assert len(text.splitlines()) <= LINES, module
        assert text.startswith('"""')


@pytest.mark.parametrize("name", [
    name if name in QUICKEST else pytest.param(name, marks=pytest.mark.long) for name in TALK
])
def test_every_experiment_measures_what_its_verdict_rests_on(name):
    found = CLAIMS[name].run(Budget(1, 0.01, 0.01)).to_json()
    assert json.loads(json.dumps(found, allow_nan=False))["measured"]["pictures"]
    assert {each["figure"] for each in found["conditions"]} <= {each["name"] for each in found["measured"]["figures"]}


def test_a_claim_is_a_function_of_its_seed():
    claim = CLAIMS["positions"]
    first, again, other = (claim.run(Budget(1, 0.01, 0.01), seed).to_json()["measured"] for seed in (3, 3, 4))
    assert first == again != other


def test_pairs_of_sentences_hold_the_same_words_in_another_order():
    tokens, labels = order_pairs(np.random.default_rng(0), 50, np.array([1, 7]), 12)
    np.testing.assert_array_equal(np.sort(tokens[:50]), np.sort(tokens[50:]))
    first = [row.tolist().index(WORK) < row.tolist().index(LIVE) for row in tokens]
    np.testing.assert_array_equal(first, labels == 0)


def test_recall_asks_for_the_value_that_stood_with_the_key():
    tokens, marked = recall_of_pairs(np.random.default_rng(0), 20, 3, 4)
    for row, asked in zip(tokens, marked, strict=True):
        pairs = dict(divmod(int(pair) - 3 - 8, 4) for pair in row[:3])
        assert [pairs[int(row[at - 1]) - 3] for at in np.flatnonzero(asked)] == [int(each) - 7 for each in row[asked]]


def test_parity_and_counting_are_what_they_are_called():
    tokens, marked = parity(np.random.default_rng(0), 20, 5)
    np.testing.assert_array_equal(tokens[marked] - 5, (tokens[:, :5] - 3).sum(axis=1) % 2)
    tokens, marked = counted(np.array([2, 3]))
    assert tokens.tolist() == [[3, 3, 4, 4, 5, 5, 5], [3, 3, 3, 4, 4, 4, 5]]
    assert marked.sum(axis=1).tolist() == [2, 3]  # the other b's, and the end


def test_brackets_are_closed_by_what_is_to_be_foretold_and_by_nothing_else():
    tokens, marked = brackets(np.random.default_rng(0), 30, 9)
    for row, asked in zip(tokens.tolist(), marked.tolist(), strict=True):
        answer = [token for token, told in zip(row, asked, strict=True) if told]
        depths = np.cumsum([{3: 1, 4: -1}[token] for token in row[:9]])
        assert depths.min() >= 0
        assert (row[9], answer) == (5, [4] * int(depths[-1]) + [5])


def test_a_text_is_right_as_a_whole_if_all_that_is_asked_in_it_is(monkeypatch):
    marked = np.array([[False, True, True], [False, True, False], [False, True, True]])
    found = np.array([True, False, True, True, True])
    monkeypatch.setattr(state_tasks, "foretold", lambda model, tested: found)
    assert TASKS["brackets"].right(None, (marked, marked)).tolist() == [False, True, True]
    assert TASKS["recall"].right(None, (marked, marked)).tolist() == found.tolist()


def planted(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    yield "measuring"
    return Measurement("Found <b>one</b>.", (exact("f", 1.0),), ())


def breaking(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    yield "measuring"
    raise KeyboardInterrupt


def claim_of(name: str, experiment: Any) -> Claim:
    return Claim(name, "It is so.", "a paper", "it is", (Condition("f", least=1),), experiment)


@pytest.fixture
def two_claims(monkeypatch):
    table = {"order": claim_of("order", planted), "depth": claim_of("depth", breaking)}
    monkeypatch.setattr(run_claims, "CLAIMS", table)
    monkeypatch.setattr(run_claims, "cores", lambda: 1)


def test_the_command_prints_one_json_object_and_writes_the_page(two_claims, tmp_path, capsys):
    assert carry_out(["claims", "order", "--json", "--out", str(tmp_path / "talk")]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [each["verdict"] for each in printed["claims"]] == ["holds"]
    assert printed == json.loads((tmp_path / "talk/claims.json").read_text("utf-8"))
    assert sorted(each.name for each in (tmp_path / "talk").iterdir()) == ["claims.html", "claims.json", "claims.md"]


def test_an_interrupted_run_keeps_the_claims_that_were_finished(two_claims, tmp_path, capsys):
    assert carry_out(["claims", "--out", str(tmp_path / "talk")]) == 130
    shown = capsys.readouterr()
    assert "order: holds" in shown.out
    assert "interrupted" in shown.err
    kept = json.loads((tmp_path / "talk/claims.json").read_text("utf-8"))
    assert kept["interrupted"]
    assert [each["name"] for each in kept["claims"]] == ["order"]


def dying(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    os._exit(7)
    yield


def test_claims_side_by_side_are_measured_as_one_by_one_and_their_processes_end_with_them():
    claims, budget = [CLAIMS["dimensions"], CLAIMS["depth"]], Budget(1, 0.01, 0.01)
    alone, beside = (
        {name: finding.measured for name, _, finding in told if finding is not None}
        for told in (side_by_side.one_by_one(claims, budget, 0), side_by_side.side_by_side(claims, budget, 0, 2))
    )
    assert alone == beside
    assert not multiprocessing.active_children()


def test_a_process_that_dies_is_told_with_its_exit_code():
    told = side_by_side.side_by_side([claim_of("dying", dying)], Budget(1, 0.01, 0.01), 0, 1)
    with pytest.raises(ScansionError, match=r"ended before its time \(exit code 7"):
        next(told)


def test_a_run_that_breaks_keeps_the_claims_that_were_finished(monkeypatch, tmp_path, capsys):
    def broken(budget, seed):
        yield "measuring"
        raise ScansionError("It broke.")

    monkeypatch.setattr(run_claims, "CLAIMS", {"order": claim_of("order", planted), "depth": claim_of("depth", broken)})
    monkeypatch.setattr(run_claims, "cores", lambda: 1)
    assert carry_out(["claims", "--out", str(tmp_path / "talk")]) == ScansionError.exit_code
    assert "It broke." in capsys.readouterr().err
    assert "order" in (tmp_path / "talk/claims.json").read_text("utf-8")


def test_a_name_that_is_no_claim_and_a_place_that_is_taken_are_refused_before_anything_is_run(tmp_path, capsys):
    with pytest.raises(UsageError, match=r"no claim 'ordre'; did you mean 'order'"):
        scansion.claims.run("ordre")
    (tmp_path / "letter.txt").write_text("dear")
    assert carry_out(["claims", "order", "--out", str(tmp_path)]) == 2
    assert "never replaced" in capsys.readouterr().err


def test_a_notebook_shows_the_page_of_a_finding(two_claims):
    shown = scansion.claims.run("order")._repr_html_()
    assert "It is so." in shown
    assert "<b>" not in shown.replace("&", "")
