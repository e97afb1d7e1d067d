"""Answers on standard output: a line each, with what was asked for in columns, or a JSON object each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scansion.text.table_writers import json_object
from scansion.viewer.plain_text import printable


@dataclass(frozen=True)
class AnswerLines:
    """An answer a line; probabilities and counts stand behind it, between tabs, under a header."""

    form: Any
    probabilities: bool
    counts: bool

    def header(self) -> list[str]:
        """The first line, if there is more than answers."""
        if not (self.probabilities or self.counts):
            return []
        labels = [f"p({_line(str(label))})" for label in self.form.labels if self.probabilities]
        return ["\t".join(["prediction", *labels, *(["known", "tokens"] if self.counts else [])])]

    def lines(self, answers: Any, kept: Sequence[Sequence[Any]]) -> Iterator[str]:
        """One for each answer."""
        for at, answer in enumerate(answers.answers):
            shares = answers.probabilities[at] if self.probabilities else []
            counts = answers.counts[at] if self.counts else []
            yield "\t".join([self._shown(answer), *(f"{share:.6f}" for share in shares), *map(str, counts)])

    def _shown(self, answer: Any) -> str:
        if not self.form.labels:
            return str(answer)
        return self.form.separator.join(_line(str(label)) for label in (answer if self.form.several else [answer]))


def _line(label: str) -> str:
    """A label on one line: what would break the line, or command a terminal, is escaped."""
    label = label.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return printable(label)


@dataclass(frozen=True)
class AnswerObjects:
    """A JSON object a line, of the kept cells, the answer and what was asked for beside it."""

    form: Any
    names: Sequence[str]
    """Of the kept columns."""

    def header(self) -> list[str]:
        """None."""
        return []

    def lines(self, answers: Any, kept: Sequence[Sequence[Any]]) -> Iterator[str]:
        """One for each answer."""
        labels = list(map(str, self.form.labels))
        for at, (answer, cells) in enumerate(zip(answers.answers, kept, strict=True)):
            found = [*zip(self.names, cells, strict=True), ("prediction", answer)]
            if answers.probabilities is not None:
                found.append(("probabilities", dict(zip(labels, answers.probabilities[at], strict=True))))
            if answers.counts is not None:
                found += zip(("tokens_known", "tokens"), answers.counts[at], strict=True)
            yield printable(json_object(found))


OBJECT_NAMES = ("prediction", "probabilities", "tokens_known", "tokens")
"""What an object may hold beside kept cells."""
