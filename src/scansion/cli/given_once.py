"""An option that is taken once is given once: the first of two would be lost, and nobody would be told."""

from typing import Any

from typer.core import TyperCommand

from scansion.errors import UsageError


class OptionsGivenOnce(TyperCommand):
    """A verb that refuses a second value for an option which takes one; typer keeps the last and says nothing."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises UsageError for an option that is given twice and not declared to be repeated."""
        _, _, given = self.make_parser(ctx).parse_args(list(args))
        for option in dict.fromkeys(given):
            if option.param_type_name == "option" and given.count(option) > 1 and not option.multiple:
                several = f", several of them between commas: {option.metavar}" if "," in (option.metavar or "") else ""
                raise UsageError(f"{option.opts[0]} is given {given.count(option)} times, and only one is taken. Give "
                                 f"it once{several}.")
        return super().parse_args(ctx, args)
