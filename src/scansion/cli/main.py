"""The command: one verb a file, one sentence for every error, the exit codes of the README."""

import os
import signal
import sys

import typer
from click.exceptions import ClickException, NoSuchOption, UsageError
from typer.main import get_command

from scansion.cli import compare, evaluate, fit, predict
from scansion.errors import ScansionError, did_you_mean
