"""What tests in several rooms share.

The default pretrained weights are out of sight, installed or not: what tests find must not depend on that.
"""

import os
import subprocess
import sys

import pytest

from scansion.storage.pretrained_source import PACKAGE
from warm_processes import Forker, warm_popen


@pytest.fixture(scope="session", autouse=True)
def without_default_weights(tmp_path_factory):
    """A package of their name that holds none stands before the real one, in processes that tests start too."""
    folder = tmp_path_factory.mktemp("without_default_weights")
    (folder / PACKAGE).mkdir()
    (folder / PACKAGE / "__init__.py").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]))
        sys.modules.pop(PACKAGE, None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _browser_ends():
    """The browser that ``browser.py`` has started, if it has."""
    yield
    if "browser" in sys.modules:
        sys.modules["browser"].RUNNING.close()


@pytest.fixture(scope="session")
def forker(without_default_weights):
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
