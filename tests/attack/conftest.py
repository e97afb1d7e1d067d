"""The attack on the package; what was tried, and how much of it broke something, is printed as a table at the end."""

from collections import Counter

import pytest

from cli.conftest import scansion  # noqa: F401 - the command called in this process

ATTACKS = "attacks"


@pytest.fixture
def tried(record_property):
    """Call it with what was tried, how often, and how often it broke something."""
    return lambda what, times, broke=0: record_property(ATTACKS, [what, times, broke])


def pytest_terminal_summary(terminalreporter):
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, ())]
    told = [value for each in reports if each.when == "call" for name, value in each.user_properties if name == ATTACKS]
    if told:
        terminalreporter.section("attacks")
        terminalreporter.line("| what was tried | times | broke something |\n|---|---|---|")
        tried, broken = Counter(), Counter()
        for what, times, broke in told:
            tried[what] += times
            broken[what] += broke
        for what, times in tried.items():
            terminalreporter.line(f"| {what} | {times:,} | {broken[what]:,} |")
