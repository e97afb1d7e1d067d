"""A budget: how long a fit or a comparison may take."""

import re

from scansion.errors import UsageError

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def seconds_of(budget: float | str | None) -> float:
    """Seconds in ``90``, ``"90s"``, ``"5m"`` or ``"1.5h"``; infinity for None. UsageError for anything else."""
    if budget is None:
        return float("inf")
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(budget))
    if found is None or float(found[1]) <= 0:
        raise UsageError(f"A budget is a time such as 90s, 5m or 1.5h; got {budget!r}.")
    return float(found[1]) * UNITS[found[2]]
