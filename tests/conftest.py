"""What tests in several rooms share."""

import subprocess
import sys

import pytest

from warm_processes import Forker, warm_popen


@pytest.fixture(scope="session", autouse=True)
def _browser_ends():
    """The browser that ``browser.py`` has started, if it has."""
    yield
    if "browser" in sys.modules:
        sys.modules["browser"].RUNNING.close()


@pytest.fixture(scope="session")
def forker():
    if sys.platform != "linux":
        yield None
        return
    forker = Forker()
    yield forker
    forker.close()


@pytest.fixture(scope="module")
def warm_processes(forker):
    """The package's own processes start without the seconds that imports take; see ``warm_processes.py``."""
    with pytest.MonkeyPatch.context() as patch:
        if forker is not None:
            patch.setattr(subprocess, "Popen", warm_popen(forker))
        yield
