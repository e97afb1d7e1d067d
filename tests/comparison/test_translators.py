"""Translators side by side: the same pairs, BLEU with intervals, a paired bootstrap, and what length costs."""

import json

import pytest

import scansion
from scansion.errors import DataError, UsageError
from scansion.families.recurrent_encoder_decoder import RNNEncoderDecoder
from scansion.families.sequence_to_sequence import SequenceToSequence

pytestmark = pytest.mark.usefixtures("warm_processes")

DIGITS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
NUMBERS = list(range(1111, 9999, 17))
SOURCES = [" ".join(str(number).replace("0", "9")) for number in NUMBERS]
TARGETS = [" ".join(DIGITS[int(digit) - 1] for digit in source.split()) for source in SOURCES]
FAMILIES = [SequenceToSequence(width=16, hidden_size=16), RNNEncoderDecoder(width=16, hidden_size=16)]


@pytest.fixture(scope="module")
def comparison():
    for budget in ("20s", "1m", "3m"):  # a busy machine needs more for an epoch
        found = scansion.compare(
            SOURCES, TARGETS, FAMILIES, task="translate", seeds=2, budget=budget, processes=1, random_state=0
        )
        if not found.not_trained:
            break
    return found


def test_every_family_has_a_row_and_copying_is_the_baseline(comparison):
    assert (comparison.task, comparison.metric.name) == ("translate", "bleu")
    assert {row.family for row in comparison.rows} == {"copy", "lstm-without-attention", "rnn"}
    for row in comparison.rows:
        assert row.status == "ok", row.reason
        assert 0 <= row.low <= row.score <= row.high <= 1
    rows = {row.family: row for row in comparison.rows}
    assert (rows["copy"].score, rows["copy"].documents_per_second) == (0, None)
    assert 1 <= rows["rnn"].seeds == len(rows["rnn"].scores_by_seed) <= rows["rnn"].seeds_planned == 2
    assert rows["rnn"].options["hidden_size"] == 16
    assert comparison.test_rows == round(0.2 * len(SOURCES))


def test_pairs_are_told_apart_by_the_bootstrap_and_scores_stand_by_length(comparison):
    assert {test.method for test in comparison.pairs.values()} <= {"t over bootstrap and seeds", "paired bootstrap"}
    assert len(comparison.pairs) == 3
    assert sum(part.rows for part in comparison.by_length) == comparison.test_rows
    assert all(part.scores.keys() == {row.family for row in comparison.rows} for part in comparison.by_length)


def test_the_report_holds_all_of_it(comparison, tmp_path):
    comparison.save(tmp_path / "report")
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["by_length"][0]["rows"] == comparison.by_length[0].rows
    page = (tmp_path / "report" / "report.md").read_text()
    assert "## By length" in page
    assert "| copy |" in page
    assert comparison._repr_html_().count("<tr>") == 4


def test_what_is_for_documents_is_refused():
    for name, value in (("folds", 2), ("splits", ["train"]), ("class_weight", "balanced")):
        with pytest.raises(UsageError, match=f"^{name} does not go with two files of parallel text .* Leave it out"):
            scansion.compare(SOURCES, TARGETS, task="translate", **{name: value})
    with pytest.raises(UsageError, match="no family 'n-grams'; known: 'rnn', 'lstm-without-attention'"):
        scansion.compare(SOURCES, TARGETS, ["n-grams"], task="translate")
    with pytest.raises(UsageError, match="523 sources and 2 targets"):
        scansion.compare(SOURCES, TARGETS[:2], task="translate")
    with pytest.raises(DataError, match="too few pairs"):
        scansion.compare(SOURCES[:3], TARGETS[:3], task="translate")
