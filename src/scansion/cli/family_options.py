"""A family's configuration as options of the command change it."""

from collections import Counter
from dataclasses import asdict, replace
from typing import Any

from scansion.errors import UsageError, did_you_mean


def with_settings(family: Any, settings: list[str]) -> Any:
    """A family's configuration with ``OPTION=VALUE`` settings, checked against the kind of each default."""
    known = asdict(family)
    counts = Counter(setting.partition("=")[0] for setting in settings)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise UsageError(f"--set {twice[0]} is given {counts[twice[0]]} times, and only one is taken. Give it once.")
    for setting in settings:
        name, equals, value = setting.partition("=")
        if name not in known:
            raise UsageError(f"This family has no option {name!r}{did_you_mean(name, known)}")
        if not equals:
            raise UsageError(f"--set takes OPTION=VALUE, such as {name}={known[name]}; got {setting!r}.")
        family = replace(family, **{name: _typed(name, value, known[name])})
    return family


def pretrained_source(family: Any, source: str | None, mode: str | None) -> Any:
    """A family's configuration with where its weights are from and how they are used, if that was said."""
    given = {name: value for name, value in (("source", source), ("mode", mode)) if value is not None}
    if given and not hasattr(family, "source"):
        raise UsageError("--from and --mode are for the family pretrained; leave them out, or name that family.")
    return replace(family, **given)


def _typed(name: str, value: str, default: Any) -> Any:
    if isinstance(default, bool):
        if value.lower() not in ("true", "false"):
            raise UsageError(f"--set {name} takes true or false, got {value!r}.")
        return value.lower() == "true"
    try:
        return type(default)(value)
    except ValueError as error:
        raise UsageError(f"--set {name} takes a number like {default}, got {value!r}.") from error
