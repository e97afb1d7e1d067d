"""The default pretrained weights are out of sight, installed or not: what tests find must not depend on that."""

import os
import sys

import pytest

from scansion.storage.pretrained_source import PACKAGE


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
