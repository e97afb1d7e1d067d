"""Options that several verbs share: each is declared once, with its one sentence."""

from pathlib import Path
from typing import Annotated, Any

import typer

from scansion.errors import UsageError
from scansion.text.encodings import codec_named
from scansion.text.separators import NO_SEPARATOR, separator_named


def _is_a_time(budget: str | None) -> str | None:
    from scansion.learning.budget import seconds_of

    seconds_of(budget)
    return budget


def _weighting(written: str | None) -> Any:
    from scansion.tasks.class_weights import parsed_class_weight

    return parsed_class_weight(written)


def _is_a_score(least: float | None) -> float | None:
    if least is not None and not -1 <= least <= 1:
        meant = f" Did you mean {least / 100:g}?" if 1 < least <= 100 else ""
        raise UsageError(f"--at-least is a score of at most 1, a share for accuracy; got {least:g}.{meant}")
    return least


def _is_a_separator(separator: str | None) -> str | None:
    if separator is not None and separator != NO_SEPARATOR:
        separator_named(separator)
    return separator


def _is_an_encoding(encoding: str | None) -> str | None:
    if encoding is not None:
        codec_named(encoding)
    return encoding


Separator = Annotated[str | None, typer.Option("--separator", callback=_is_a_separator, help="What separates cells: "
                                                  "comma, semicolon, tab, bar or a character, by default what all "
                                                  "rows agree on; none: a .txt is plain lines.")]
EncodingName = Annotated[str | None, typer.Option("--encoding", callback=_is_an_encoding, help="How files of text "
                                                     "are encoded, such as cp1252; by default UTF-8, or as their byte "
                                                     "order mark says.")]
SheetName = Annotated[str | None, typer.Option("--sheet", help="Which sheet of a workbook (.xlsx, .ods), by name or "
                                                  "number; by default the first.")]
TextColumn = Annotated[str | None, typer.Option("--text", metavar="COLUMN,COLUMN", help="The column with the texts, or "
                                                   "several, whose cells are joined by a blank line, empty ones left "
                                                   "out; by default as in training, then the one with the longest.")]
TargetColumn = Annotated[str | None, typer.Option("--target", metavar="COLUMN", help="The column with the answers; by "
                                                     "default as in training, then label, target, class, score or "
                                                     "rating, else the only one left.")]
TaskName = Annotated[str | None, typer.Option("--task", help="classify or regress; by default what the answers look "
                                             "like. Of fit also encoder: pretrain on texts without answers.")]
LabelSeparator = Annotated[str | None, typer.Option("--label-separator", help="What stands between several labels "
                                                       "in one cell, such as '|'.")]
Tokens = Annotated[str | None, typer.Option("--tokens", help="Of plain text: what a language model reads one at a "
                                            "time: characters, bytes, words or subwords; by default characters up to "
                                            "two million, else subwords.")]
DocumentsAre = Annotated[str | None, typer.Option("--documents", help="Of plain text: what a document is: lines, "
                                                     "paragraphs (between empty lines) or files; by default as in "
                                                     "training, then as many empty lines suggest.")]
MaxBad = Annotated[float | None, typer.Option("--max-bad", help="The share of unreadable rows to put up with; the "
                                                 "rest are kept in a .rejected.jsonl file. Default: 0.001.")]
Budget = Annotated[str | None, typer.Option("--budget", callback=_is_a_time, help="How long it may take in all: "
                                               "90s, 5m, 1h.")]
ClassWeight = Annotated[str | None, typer.Option("--class-weight", callback=_weighting, metavar="WEIGHTS",
                                                    help="balanced: every label counts alike, however rare; or what "
                                                    "each counts, LABEL=WEIGHT,LABEL=WEIGHT, those not named 1.")]
Processes = Annotated[int | None, typer.Option("--processes", help="Processes that train a network together; by "
                                                  "default two when a run is long enough.")]
Seed = Annotated[int, typer.Option("--random-state", help="The seed of everything that is drawn at random.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder that fit has written.")]
From = Annotated[str | None, typer.Option("--from", metavar="SOURCE", help="Of pretrained and static: where the "
                                          "weights are, a folder in the Hugging Face layout or a NAME@REVISION on its "
                                          "hub; by default MiniLM-L6, if it is installed.")]
StaticFrom = Annotated[str | None, typer.Option("--static", metavar="SOURCE", help="Of n-grams and bag-of-words: whose "
                                                "static word vectors stand beside the counts if folds say that they "
                                                "help, a SOURCE as of --from; none for none, auto for MiniLM-L6 if "
                                                "it is installed, which n-grams has by default.")]
Mode = Annotated[str | None, typer.Option("--mode", help="Of the family pretrained: frozen, fine-tuned or auto, which "
                                             "decides by the rows and the budget there are.")]
Pretrain = Annotated[str | None, typer.Option("--pretrain", help="own: a network from scratch first learns from all "
                                                 "texts without their answers.")]
Unlabelled = Annotated[str | None, typer.Option("--unlabelled", metavar="FILE", help="With --pretrain: more texts, "
                                                   "without answers; a table, or plain text with a document a line.")]
Beam = Annotated[int | None, typer.Option("--beam", min=1, help="For a translator: how many hypotheses to "
                                             "keep at a time, by default five.")]
EngineName = Annotated[str | None, typer.Option("--engine", help="For a translator or a pretrained model: "
                                               "ctranslate2, which is made for speed; by default scansion itself.")]
PrecisionName = Annotated[str | None, typer.Option("--precision", help="With --engine: float32, unless int8 is asked.")]
AtMost = Annotated[float | None, typer.Option("--at-most", help="Of scores that are the better the lower, bits per "
                                                 "byte: exit with 3 if the score is above this.")]
AtLeast = Annotated[float | None, typer.Option("--at-least", callback=_is_a_score, help="Exit with 3 if the "
                                                  "score is below this (a share from 0 to 1 for accuracy and BLEU).")]
