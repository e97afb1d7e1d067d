"""What fit, predict and evaluate do with two files of parallel text, or with a translator."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scansion.cli.following import follow
from scansion.cli.stopping import heeding
from scansion.cli.telling import Telling, counted, say
from scansion.errors import UsageError
from scansion.measures.translation import bleu, chrf
from scansion.text.parallel import MOST_EMPTY, read_parallel

COPIED_PAIRS, COPIED_WORDS = 0.2, 0.5  # beyond these shares something is likely to be swapped


def check_two_sides(data: Sequence[str], what: str) -> tuple[str, str]:
    """The files of both languages; UsageError for another number of them."""
    if len(data) != 2:
        raise UsageError(f"{what} takes two files, the texts and their translations; got {len(data)}.")
    return data[0], data[1]


def check_options(data: Sequence[str], valid: Sequence[str] | None, of_tables: dict[str, Any]) -> None:
    """UsageError for an option that does not go with as many files."""
    if valid is not None and len(data) == 1:
        raise UsageError("--valid is for a translator, which takes two files: its texts and their translations.")
    for name, given in of_tables.items():
        if given is not None and len(data) > 1:
            raise UsageError(f"{name} is for tables, and two files are parallel text. Leave it out.")


def read_pairs(source: str, target: str, max_bad: float | None) -> Any:
    """Parallel text, with what was left out and what looks odd told on standard error."""
    pairs = read_parallel(source, target, MOST_EMPTY if max_bad is None else max_bad)
    say(f"{pairs.name}: {counted(len(pairs), 'pair')}; task: translate (two files of as many lines).")
    if pairs.left_out:
        say(f"Warning: {counted(pairs.left_out, 'pair')} with an empty side left out.")
    same = sum(mine == theirs for mine, theirs in zip(pairs.source, pairs.target, strict=True))
    if same > COPIED_PAIRS * len(pairs):
        say(f"Warning: {same / len(pairs):.0%} of the lines are the same in both files. Are they two languages?")
    return pairs


def fit_translator(
    data: Sequence[str], valid: Sequence[str] | None, configured: Any, max_bad: float | None, shared: dict[str, Any],
    keeping: Any, out: Path,
) -> Any:
    """Train a translator on two files and write its folder; the translator."""
    from scansion.tasks.translation import Translator

    pairs = read_pairs(*check_two_sides(data, "A translator"), max_bad)
    held_out = None if valid is None else read_pairs(*valid, max_bad)
    translator = Translator(configured, **shared)
    valid_sides = None if held_out is None else (held_out.source, held_out.target)
    with keeping, Telling() as telling, heeding(keeping.stop):
        follow(translator.fitting(pairs.source, pairs.target, valid_sides, keeping), telling)
        translator.save(out)
        for sentence in keeping.finish():
            telling.done(sentence)
    return translator


def tell_translator(translator: Any, family: str, out: Path, as_json: bool) -> None:
    """What a fit has come to."""
    report = translator.fit_report_
    if as_json:
        print(json.dumps({
            "model": str(out), "task": "translate", "family": family, "perplexity": report.perplexity,
            "fit_seconds": report.seconds, "parameters": report.parameters, "notes": list(report.notes),
        }, indent=2))
        return
    for note in report.notes:
        say(note)
    print(f"{out}: {family}, {report.parameters:,} parameters, {report.seconds:.1f} s. perplexity of a held-out token: "
          f"{report.perplexity:.2f}.")


def run_by(engine: str | None, precision: str | None, translator: Any) -> Any:
    """The translator, or what it is inside another engine; UsageError for a precision without one."""
    from scansion.tasks.exporting import export

    if engine is None:
        if precision is not None:
            raise UsageError("--precision is for another engine. Add --engine ctranslate2, or leave it out.")
        return translator
    return export(translator, engine) if precision is None else export(translator, engine, precision)


def print_translations(translator: Any, parts: Iterable[list[str]], beam: int | None) -> None:
    """One translation a line, in the order of the input."""
    copied = words = 0
    for texts in parts:
        for text, found in zip(texts, translator.predict(texts, beam=beam), strict=True):
            print(" ".join(found.splitlines()))
            mine = found.split()
            words += len(mine)
            copied += len(set(mine) & set(text.split()))
        if sys.stdout is not None:
            sys.stdout.flush()
    if copied > COPIED_WORDS * words:
        say(f"Warning: {copied / words:.0%} of the words were copied from the input. Is it in the language this model "
            "reads?")


def print_scores(translator: Any, data: Sequence[str], max_bad: float | None, beam: int | None, as_json: bool) -> float:
    """Print the scores of a translator on two files; its BLEU."""
    pairs = read_pairs(*check_two_sides(data, "Scoring a translator"), max_bad)
    found, wanted = translator.predict(pairs.source, beam=beam), list(pairs.target)
    standard, tokenised, letters = bleu(found, wanted), bleu(found, wanted, "none"), chrf(found, wanted)
    if as_json:
        print(json.dumps({
            "sacrebleu": {"score": standard.score, "low": standard.low, "high": standard.high,
                          "signature": standard.signature},
            "bleu_tokenised": tokenised.score, "chrf": letters.score, "rows": len(wanted),
        }, indent=2))
    else:
        scores = {"sacreBLEU": standard, "BLEU of the words as they stand": tokenised, "chrF2": letters}
        for name, score in scores.items():
            print(f"{name:31}  {score.score:5.2f}  ({score.low:.2f} to {score.high:.2f}, 95 % of "
                  f"{counted(len(wanted), 'sentence')})  {score.signature}")
    return standard.score
