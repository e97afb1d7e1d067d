"""A comparison for the terminal: one table, then the verdict in words."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from scansion.comparison.result import Comparison, FamilyResult
from scansion.viewer.number_format import bytes_shown, processor_shown, rate_shown, score_shown, seconds_shown
from scansion.viewer.plain_text import printable

BAR_CELLS, FEWEST_CELLS = 24, 8
INTERVAL_WIDTH, PROCESSOR_WIDTH = 64, 71
CUT_SHORT = "†"
LETTERS = "Families that share a letter are not significantly different from each other."


def render(comparison: Comparison, width: int) -> RenderableType:
    """The table and the verdict for a terminal ``width`` columns wide; costs make way first, then the bars."""
    good = [row for row in comparison.rows if row.status == "ok"]
    parts: list[RenderableType] = []
    if good:
        parts.append(_table(comparison, good, width))
    if len(good) > 1 and width >= INTERVAL_WIDTH:
        parts.append(Text(LETTERS, style="dim"))
    if any(row.cut_short for row in good):
        parts.append(Text(f"{CUT_SHORT} cut short by the budget", style="dim"))
    parts += [
        Text(f"{row.family}: {row.notes[-1]}.", style="dim")
        for row in good if row.seeds < row.seeds_planned
    ]
    parts += [Text.assemble((f"{row.family} was not trained in this budget: ", "bold"), row.reason)
              for row in comparison.not_trained]
    parts += [
        Text.assemble((f"{row.family} was dropped early: ", "bold"), f"{row.reason} {spent(row)}")
        for row in comparison.dropped
    ]
    parts += [_failure(row) for row in comparison.failed]
    if comparison.length_matters:
        parts += [Text(""), _by_length(comparison, good)]
    return Printable(Group(*parts, Text(""), _words(comparison)))


@dataclass(frozen=True)
class Printable:
    """What is shown, with the texts in it escaped that would command the terminal."""

    shown: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in console.render(self.shown, options):
            yield part if part.control else Segment(printable(part.text), part.style)


def _table(comparison: Comparison, good: list[FamilyResult], width: int) -> Table:
    table, hundredths = _plain_table(), comparison.metric.in_hundredths
    letters = max(max(len(row.letters) for row in good), len("letters")) + 2
    show_fit, show_interval, show_processor = width >= 44, width >= INTERVAL_WIDTH, width >= PROCESSOR_WIDTH
    show_bar, show_rates, show_sizes = width >= 70 + letters, width >= 93 + letters, width >= 105 + letters
    cells = min(BAR_CELLS, max(FEWEST_CELLS, width - 91 - letters)) if show_rates else FEWEST_CELLS
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("family", no_wrap=True)
    table.add_column(comparison.metric.name.replace("_", " "), justify="right", no_wrap=True)
    if show_interval:
        table.add_column("95 % interval", justify="left", no_wrap=True)
        table.add_column("letters", no_wrap=True)
    if show_bar:
        table.add_column("", no_wrap=True)
    if show_fit:
        table.add_column("fit", justify="right", no_wrap=True)
    if show_processor:
        table.add_column("cpu s", justify="right", no_wrap=True)
    if show_rates:
        table.add_column("docs/s", justify="right", no_wrap=True)
        table.add_column("size", justify="right", no_wrap=True)
    if show_sizes:
        table.add_column("memory", justify="right", no_wrap=True)
        table.add_column("read", justify="right", no_wrap=True)
    # a baseline far off would press all others into one corner
    scaled = [row for row in good if row.family != comparison.baseline] or good
    low, high = min(row.span[1] for row in scaled), max(row.span[2] for row in scaled)
    shown_rank = None
    for row in good:
        chosen = row.family == comparison.verdict.family
        style = "bold" if chosen else "dim" if row.family == comparison.baseline else ""
        line = [
            "" if row.rank_group == shown_rank else str(row.rank_group),
            f"{row.family} {CUT_SHORT}" if row.cut_short else row.family, score_shown(row.score, hundredths),
        ]
        low_high = f"{score_shown(row.low, hundredths)}–{score_shown(row.high, hundredths)}"
        line += [low_high, row.letters] if show_interval else []
        shown_rank = row.rank_group
        line += [bar(row, low, high, cells)] if show_bar else []
        line += [seconds_shown(row.fit_seconds or 0.0)] if show_fit else []
        line += [processor_shown(row.processor_seconds or 0.0)] if show_processor else []
        line += [rate_shown(row.documents_per_second), bytes_shown(row.size_bytes or 0)] if show_rates else []
        read = f"{100 * (row.tokens_read_share or 0.0):.0f} %"
        line += [bytes_shown(row.peak_memory_bytes or 0), read] if show_sizes else []
        table.add_row(*line, style=style)
    return table


def spent(row: FamilyResult) -> str:
    """What was spent on a family that was dropped."""
    return (f"It took {seconds_shown(row.fit_seconds or 0.0)} ({processor_shown(row.processor_seconds or 0.0)} cpu s); "
            "--thorough trains it with all rows.")


def _plain_table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")


def _by_length(comparison: Comparison, good: list[FamilyResult]) -> Table:
    """A column for each range of lengths, families in the order of their scores."""
    table = _plain_table()
    table.add_column(f"{comparison.metric.name} by words read", no_wrap=True)
    for part in comparison.by_length:
        table.add_column(f"{part.least}–{part.most}", justify="right", no_wrap=True)
    for row in good:
        parts = (part.scores[row.family] for part in comparison.by_length)
        scores = [score_shown(score, comparison.metric.in_hundredths) for score in parts]
        table.add_row(row.family, *scores, style="dim" if row.family == comparison.baseline else "")
    return table


def bar(row: FamilyResult, low: float, high: float, cells: int) -> str:
    """The interval as a line with a dot at the score, on the scale that all rows share; ``‹`` or ``›`` if off it."""
    score, least, most = row.span
    if not low <= score <= high:
        return "‹" if score < low else "›".rjust(cells)

    def place(value: float) -> int:
        return max(0, round((value - low) / (high - low) * (cells - 1))) if high > low else 0

    first, middle, last = place(least), place(score), place(most)
    return "".join("●" if i == middle else "─" if first <= i <= last else " " for i in range(cells))


def _failure(row: FamilyResult) -> Text:
    return Text.assemble((f"{row.family} failed: ", "bold red"), row.reason)


def _words(comparison: Comparison) -> Text:
    verdict = comparison.verdict
    facts = f"{comparison.train_rows:,} training rows, {comparison.test_rows:,} test rows ({comparison.facts['split']})"
    seeds = max((row.seeds for row in comparison.rows), default=1)
    facts += f"; {seeds} seeds where a family draws at random" if seeds > 1 else "; one seed"
    facts += f"; {comparison.duplicates:,} test texts also occur in training." if comparison.duplicates else "."
    facts += f" {comparison.facts['reading']}." if comparison.facts.get("reading") else ""
    parts = [("Use ", ""), (verdict.family, "bold green"), (". ", "")] if verdict.family else []
    return Text.assemble(
        *parts, verdict.reason, "\n", (f"The rule: {verdict.rule}. {verdict.change}", "dim"), "\n", (facts, "dim")
    )
