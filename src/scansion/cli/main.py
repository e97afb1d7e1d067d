"""The command: one verb a file, one sentence for every error, and the exit codes of the errors' tree."""

import gc
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer

from scansion.cli.given_once import OptionsGivenOnce
from scansion.cli.progress import say
from scansion.cli.signals import TERMINATIONS, end_on_signals, exit_code_of
from scansion.errors import ScansionError, check_system, did_you_mean
from scansion.memory import exhausted
from scansion.processors import wait_asleep

VERBS = {
    "compare": "Train every family and say with evidence which one to use.",
    "fit": "Train one family on a table and write a model folder.",
    "predict": "Answer every document: one line each, in order.",
    "evaluate": "Score a model on documents whose answers are known.",
    "generate": "Write on after a prompt, with a language model.",
    "export": "Write a model in another program's format.",
    "serve": "Put models behind HTTP, in dialects that existing clients speak.",
    "look": "See what models do with one text, in an offline page.",
    "claims": "Measure what is said of these families: predicted, found, and whether it holds.",
    "families": "List every family with its options and their defaults.",
}
KEPT = {
    "claims": "The claims that were finished are above, and in the folder of --out; the others are not kept.",
    "compare": "The families that were finished are above; the others are not kept.",
    "fit": "No model was written, and what stood in its place stands there still. A network's run that had come to a "
           "checkpoint goes on with --resume.",
    "predict": "Answers that stand above are complete as far as they go; a table is written as a whole or not at all.",
}
WITHOUT_ARGUMENTS = {"claims", "families"}
DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
DEBUG = "--debug"

ABOUT = """Every family of text model on your own documents, and the evidence which one to use.

Start with: scansion compare --demo

Every verb has examples: scansion VERB --help. After an error, --debug shows where it happened.
"""


def run(arguments: list[str] | None = None) -> None:
    """The entry point of the ``scansion`` command; ends the process with its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    end_on_signals()
    wait_asleep()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a label may hold what the terminal cannot show
    code = carry_out(given)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done; there is nothing left to interrupt
    gc.freeze()  # or the end of the process searches all that was imported for circles, for a second
    sys.exit(code)


def carry_out(given: list[str]) -> int:
    """Run a verb; its exit code, and for whatever went wrong one sentence on standard error."""
    arguments, debug = [word for word in given if word != DEBUG], DEBUG in given
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    try:
        code = build(wanted).main(arguments, prog_name="scansion", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        if code == INTERRUPTED:  # typer turns Ctrl-C into this code and says nothing
            raise KeyboardInterrupt
        return code if isinstance(code, int) else DONE
    except ScansionError as error:
        return _failed(str(error), error.exit_code, debug)
    except (KeyboardInterrupt, typer.Abort):
        how, code = "interrupted", INTERRUPTED
        if TERMINATIONS:
            how, code = f"ended by {signal.Signals(TERMINATIONS[0]).name}", exit_code_of(TERMINATIONS[0])
        return _failed(f"{how}. {KEPT.get(wanted or '', '')}".rstrip(), code, debug)
    except (BrokenPipeError, SystemExit):  # typer exits when a pipe breaks: whoever read our output has seen enough
        _give_up_output()
        return DONE
    except OSError as error:
        _give_up_output()
        return _failed(exhausted(error) or f"{_named(error)}. Check the place and the disk.", FAILED, debug)
    except Exception as error:  # the last resort of a command: a sentence instead of a traceback
        if hasattr(error, "format_message"):  # a wrong option or argument, in typer's own words
            return _failed(_usage(error), USAGE, debug)
        sentence = f"{type(error).__name__}: {error}. This is a bug in scansion; --debug shows where."
        return _failed(exhausted(error) or sentence, FAILED, debug)


def build(wanted: str | None = None) -> Any:
    """The command; only the ``wanted`` verb is imported, so that ``--help`` answers at once."""
    app = typer.Typer(help=ABOUT, add_completion=False, no_args_is_help=True, rich_markup_mode=None)
    app.callback(invoke_without_command=True)(_top)
    for name, summary in VERBS.items():
        verb, examples = _verb(name) if name == wanted else (_not_asked_for, "")
        app.command(name, cls=OptionsGivenOnce, help=summary, epilog=f"\b\n{examples}",
                    no_args_is_help=name not in WITHOUT_ARGUMENTS)(verb)
    return typer.main.get_command(app)


def _verb(name: str) -> tuple[Callable[..., None], str]:
    """A verb and its examples: each has a module of its name."""
    check_system()
    module = import_module(f"scansion.cli.{name}")
    return getattr(module, name), module.EXAMPLES


def _not_asked_for() -> None:
    """Stands in the list of verbs."""


def _top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    # a docstring here would be taken for the help text
    if version:
        print(f"scansion {sys.modules['scansion'].__version__}")
        raise typer.Exit


def _give_up_output() -> None:
    """Python flushes standard output when it ends; where that must fail, let it have nowhere to fail."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _named(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return reason if error.filename is None else f"{error.filename}: {reason}"


def _failed(sentence: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    if sentence:
        say(f"scansion: {sentence}")
    return code


def _usage(error: Any) -> str:
    """A usage error's sentence, with where to read on."""
    message, context = str(error.format_message()), getattr(error, "ctx", None)
    if message.startswith("No such command"):
        mistyped = message.split("'")[1]
        return f"there is no verb {mistyped!r}{did_you_mean(mistyped, VERBS)}"
    if message.startswith("Usage:"):
        say(message)  # a verb without its arguments: show how it is used
        return ""
    return message.rstrip(".") + (f". See {context.command_path} --help" if context is not None else ".")
