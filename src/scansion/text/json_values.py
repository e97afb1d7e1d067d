"""JSON as a table takes it: numbers as they are written, and what JSON does not allow is a fault with a sentence."""

import json
from typing import Any

from scansion.errors import DataError, shown
from scansion.text.rows import CellFault, WrittenNumber


class JsonValues:
    """Reads one value after another out of texts, and says what was wrong inside the last one."""

    def __init__(self) -> None:
        self.twice = ""
        """An object in it that has one name twice, as a reason."""
        self.no_number = ""
        """A NaN or an infinity in it, as a reason; a CellFault stands in its place."""
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=WrittenNumber, parse_int=WrittenNumber,
            parse_constant=self._no_number,
        )

    def read(self, text: str, begin: int) -> tuple[Any, int]:
        """The value that begins there, and where it ends. Raises DataError with the reason where there is none."""
        self.twice = self.no_number = ""
        try:
            return self._decoder.raw_decode(text, begin)
        except json.JSONDecodeError as error:
            raise DataError(f"is not JSON: {error.msg} at character {error.pos - begin + 1}") from error
        except RecursionError:
            raise DataError("is nested too deeply") from None

    def check_row(self, value: Any) -> dict[str, Any]:
        """The last value as a row. Raises DataError with the reason if it is no sound object."""
        if self.twice or self.no_number:
            raise DataError(self.twice or self.no_number)
        if not isinstance(value, dict):
            raise DataError('is no JSON object such as {"text": "…", "label": "…"}')
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            names = [name for name, _ in pairs]
            self.twice = f"has two values for {shown(next(name for name in names if names.count(name) > 1))}"
        return content

    def _no_number(self, written: str) -> CellFault:
        self.no_number = f"holds {written}, which is not JSON"
        return CellFault(written, self.no_number)
