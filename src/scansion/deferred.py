"""What is imported when it is first needed: the one place where an import waits.

torch takes seconds and two hundred megabytes to import, scikit-learn half of that, and a counted model that only
answers needs neither.  So a module names here what it may never use.  Modules and names are literals, which the test of
the rooms reads like any other import.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

Place = tuple[str, str]
"""A module, and a name in it."""


def deferred(module: str, name: str) -> Callable[..., Any]:
    """A function whose module is imported when it is first called, with arguments by position."""

    def called(*given: Any) -> Any:
        return getattr(import_module(module), name)(*given)

    return called


class DeferredTable(Mapping[str, Any]):
    """Values by name; the module of each is imported when it is first asked for, and never to list the names."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self.places = dict(places)

    def __getitem__(self, name: str) -> Any:
        module, attribute = self.places[name]
        return getattr(import_module(module), attribute)

    def __contains__(self, name: object) -> bool:
        return name in self.places

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __repr__(self) -> str:
        return f"DeferredTable({', '.join(self.places)})"

    def name_of(self, kind: type) -> str | None:
        """The name of a class of the table, None for any other; nothing is imported."""
        place = kind.__module__, kind.__qualname__
        return next((name for name, each in self.places.items() if each == place), None)
