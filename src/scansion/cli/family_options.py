"""A family's configuration as options of the command change it."""

from collections import Counter
from dataclasses import asdict, fields, replace
from typing import Any

from scansion.errors import UsageError, did_you_mean

OF_WEIGHTS = {
    "--from": ("source", "the families pretrained and static"), "--mode": ("mode", "the family pretrained"),
    "--static": ("static", "the families n-grams and bag-of-words"),
}
"""The options of families that are options of the command too, and which families have them."""


def with_settings(family: Any, settings: list[str]) -> Any:
    """A family's configuration with ``OPTION=VALUE`` settings, checked against the kind of each default."""
    known = {field.name: field.default for field in fields(family)}
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


def with_weights(family: Any, given: dict[str, Any]) -> Any:
    """A family's configuration with what the command's options, ``given`` by their names, say of pretrained weights."""
    for option in _said(given).keys() - _taken(family, given).keys():
        raise UsageError(f"{option} is for {OF_WEIGHTS[option][1]}; leave it out, or name one that takes it.")
    return replace(family, **{OF_WEIGHTS[option][0]: value for option, value in _taken(family, given).items()})


def all_with_weights(families: list[Any], given: dict[str, Any]) -> list[Any]:
    """Several families, each with what it takes of that; UsageError for what none takes."""
    taken = [_taken(family, given) for family in families]
    for option in [option for option in _said(given) if not any(option in each for each in taken)]:
        raise UsageError(f"{option} is for {OF_WEIGHTS[option][1]}, and these are not compared; leave it out, or name "
                         "one that takes it.")
    return [with_weights(family, each) for family, each in zip(families, taken, strict=True)]


def _said(given: dict[str, Any]) -> dict[str, Any]:
    return {option: given[option] for option in OF_WEIGHTS if given.get(option) is not None}


def _taken(family: Any, given: dict[str, Any]) -> dict[str, Any]:
    return {option: value for option, value in _said(given).items() if OF_WEIGHTS[option][0] in asdict(family)}


def _typed(name: str, value: str, default: Any) -> Any:
    if isinstance(default, bool):
        if value.lower() not in ("true", "false"):
            raise UsageError(f"--set {name} takes true or false, got {value!r}.")
        return value.lower() == "true"
    try:
        return type(default)(value)
    except ValueError as error:
        raise UsageError(f"--set {name} takes a number like {default}, got {value!r}.") from error
