"""The attack on the package; what was tried, and how much of it broke something, is printed as a table at the end."""

import pytest

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
        for what, times, broke in told:
            terminalreporter.line(f"| {what} | {times:,} | {broke:,} |")
