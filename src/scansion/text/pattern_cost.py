"""How long a regular expression may search, told from how it is written, before anything is searched with it.

An engine that backtracks tries every way in which a pattern can be laid over a text.  There are few ways where no group
with a choice in it is repeated, and where what can be of any length is followed at most once by something that can
still fail: then the search takes time in the square of a text's longest run at the worst.  Patterns of tokenizers are
of this kind.
"""

import re
from dataclasses import dataclass

LONGEST_PATTERN = 4_000
MOST_CHOICES = 8
"""Things in a row that can be laid in several ways."""
MOST_BLOCKED = 1
FEW_TIMES = 8
"""Up to so many repetitions are a choice; more are as good as any number."""
ESCAPES = re.compile(
    r"\\(?:[pP]\{\^?\w{1,40}\}|x[0-9a-fA-F]{2}|x\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|[^\w]|[_sSwWdDhHrntfv])"
)
ASSERTIONS = re.compile(r"\\[bBAzZ]|[\^$]|\(\?<?[=!]")
GROUP = re.compile(r"\((?:\?(?:[im]*(?:-[im]+)?:|>))?(?!\?)")
FLAGS = re.compile(r"\(\?[im]+\)")
REPEATED = re.compile(r"([*+?])([?+]?)|\{(\d{1,6})?(,)?(\d{1,6})?\}(\??)")
SIMPLE = re.compile(r"[^\\()\[|*+?]")


@dataclass(frozen=True)
class Cost:
    """Of a part of a pattern: the ``choices`` in it, and how many of any length are followed by what can fail."""

    shortest: int = 0
    """Characters that it takes at least."""
    choices: int = 0
    blocked: int = 0
    unbounded: int = 0
    """Those of any length that nothing that can fail follows yet."""
    fails: bool = False
    """Whether there is a text that it does not fit."""

    def then(self, other: "Cost") -> "Cost":
        """This and then another."""
        blocked, left = (self.blocked + self.unbounded, 0) if other.fails else (self.blocked, self.unbounded)
        return Cost(
            self.shortest + other.shortest, self.choices + other.choices, blocked + other.blocked,
            left + other.unbounded, self.fails or other.fails,
        )

    def or_else(self, other: "Cost") -> "Cost":
        """This or another."""
        return Cost(
            min(self.shortest, other.shortest), max(self.choices, other.choices), max(self.blocked, other.blocked),
            max(self.unbounded, other.unbounded), self.fails and other.fails,
        )


def shortest_match(pattern: str) -> int:
    """Characters that a match has at least. ValueError for a pattern that could search for long, or is not read."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has {len(pattern):,} characters; at most {LONGEST_PATTERN:,} are read")
    reader = _Reader(pattern)
    cost = reader.alternatives()
    if reader.at < len(pattern):
        raise reader.refused("is closed before it is opened")
    if cost.blocked > MOST_BLOCKED or cost.choices > MOST_CHOICES:
        raise ValueError("a pattern can be laid over a text in so many ways that a search may take for ever")
    return cost.shortest


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern, self.at, self.depth = pattern, 0, 0

    def alternatives(self) -> Cost:
        cost, several = self._sequence(), 0
        while self.pattern.startswith("|", self.at):
            self.at += 1
            cost, several = cost.or_else(self._sequence()), 1
        return Cost(cost.shortest, cost.choices + several * (self.depth > 0), cost.blocked, cost.unbounded, cost.fails)

    def refused(self, why: str) -> ValueError:
        return ValueError(f"character {self.at + 1:,} of a pattern {why}")

    def _sequence(self) -> Cost:
        cost = Cost()
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            cost = cost.then(self._quantified())
        return cost

    def _quantified(self) -> Cost:
        begun = self.at
        cost, group = self._part()
        found = REPEATED.match(self.pattern, self.at)
        if found is None or found[0] in ("{}", "{,}"):
            return cost
        if self.at == begun:
            raise self.refused("repeats nothing")
        self.at = found.end()
        if REPEATED.match(self.pattern, self.at):
            raise self.refused("repeats what is repeated")
        sign, _, least, comma, most, _ = found.groups()
        low = {"*": 0, "+": 1, "?": 0}[sign] if sign else int(least or 0)
        high = {"*": None, "+": None, "?": 1}[sign] if sign else int(most) if most else None if comma else low
        if group and high != 1 and (cost.choices or cost.unbounded or not cost.shortest):
            raise self.refused("repeats a group in which there is a choice")
        unbounded = int(high is None or high > FEW_TIMES)
        return Cost(
            cost.shortest * low, cost.choices + (low != high), cost.blocked, cost.unbounded + unbounded,
            cost.fails and low > 0,
        )

    def _part(self) -> tuple[Cost, bool]:
        """What stands next, and whether it is a group."""
        if (found := FLAGS.match(self.pattern, self.at)) is not None:
            self.at = found.end()
            return Cost(), False
        if (found := ASSERTIONS.match(self.pattern, self.at)) is not None:
            self.at = found.end()
            inside = self._inside() if found[0].startswith("(") else Cost()
            return Cost(0, inside.choices, inside.blocked, 0, True), True
        if (found := GROUP.match(self.pattern, self.at)) is not None:
            self.at = found.end()
            return self._inside(), True
        if self.pattern[self.at] == "[":
            self._character_class()
            return Cost(1, fails=True), False
        found = ESCAPES.match(self.pattern, self.at) or SIMPLE.match(self.pattern, self.at)
        if found is None:
            raise self.refused("is of a kind that is not read")
        self.at = found.end()
        return Cost(1, fails=True), False

    def _inside(self) -> Cost:
        self.depth += 1
        if self.depth > 10:
            raise self.refused("is nested too deep")
        cost = self.alternatives()
        if not self.pattern.startswith(")", self.at):
            raise self.refused("ends before a group does")
        self.at, self.depth = self.at + 1, self.depth - 1
        return cost

    def _character_class(self) -> None:
        """Up to the bracket that closes it; classes may stand in classes."""
        depth, first = 0, False
        while self.at < len(self.pattern):
            letter = self.pattern[self.at]
            if letter == "\\":
                found = ESCAPES.match(self.pattern, self.at)
                if found is None:
                    raise self.refused("is of a kind that is not read")
                self.at = found.end()
                first = False
                continue
            depth += (letter == "[") - (letter == "]")
            if letter == "]" and first:
                raise self.refused("closes an empty class")
            self.at += 1
            first = letter == "[" or (letter == "^" and first)
            if not depth:
                return
        raise self.refused("ends before a class does")
