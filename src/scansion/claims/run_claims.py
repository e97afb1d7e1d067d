"""Running claims: several one after the other, or one by its name."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Any

from scansion.claims.catalogue import CLAIMS
from scansion.claims.claim import FULL, QUICK
from scansion.claims.finding import RULE, Finding
from scansion.claims.side_by_side import one_by_one, side_by_side
from scansion.comparison.run import Message
from scansion.errors import ScansionError, UsageError, did_you_mean
from scansion.learning.events import finished
from scansion.processors import cores
from scansion.storage.manifest import library_versions


@dataclass
class Findings:
    """What was found of each claim, in the order of the talk."""

    quick: bool
    random_state: int
    findings: list[Finding] = field(default_factory=list)
    ended_by: KeyboardInterrupt | ScansionError | None = None
    """What came before all claims were measured; those that were are here."""
    day: str = field(default_factory=lambda: date.today().isoformat())

    def to_json(self) -> dict[str, Any]:
        """Plain values: what ``claims.json`` holds and the page is made from."""
        return {
            "date": self.day, "versions": library_versions(), "quick": self.quick, "random_state": self.random_state,
            "interrupted": self.ended_by is not None, "rule": RULE,
            "claims": [each.to_json() for each in self.findings],
        }


def running(
    names: Sequence[str] = (), quick: bool = False, random_state: int = 0
) -> Generator[Message, None, Findings]:
    """What is being done, and the findings: of the claims of these names, all if there are none.

    KeyboardInterrupt and ScansionError end it with the findings so far. UsageError for a name that is no claim, before
    anything is run.
    """
    for name in names:
        if name not in CLAIMS:
            raise UsageError(f"There is no claim {name!r}{did_you_mean(name, CLAIMS)}")
    wanted = [CLAIMS[name] for name in dict.fromkeys(names or CLAIMS)]
    budget, processes = QUICK if quick else FULL, cores()
    together = [each for each in wanted if not each.alone][::-1]  # the last ones take longest, and are begun first
    if processes < 2 or len(together) < 2:
        together = []
    found = Findings(quick, random_state)
    try:
        for name, doing, finding in chain(
            side_by_side(together, budget, random_state, min(processes, len(together))),
            one_by_one([each for each in wanted if each not in together], budget, random_state),
        ):
            if finding is None:
                yield Message(f"{name}: {doing}", len(found.findings) / len(wanted))
            else:
                found.findings.append(finding)
                yield Message(f"{name}: {finding.verdict} ({finding.seconds:.0f} s)", lasting=True)
    except (KeyboardInterrupt, ScansionError) as error:
        found.ended_by = error
    order = list(CLAIMS)
    found.findings.sort(key=lambda each: order.index(each.name))
    return found


def run(name: str, quick: bool = False, random_state: int = 0) -> Finding:
    """Measure one claim: ``run("order").verdict``; a notebook shows its page.

    ``quick`` does less work, with wider intervals. UsageError for a name that is no claim.
    """
    found = finished(running)([name], quick, random_state)
    if found.ended_by is not None:
        raise found.ended_by
    return found.findings[0]
