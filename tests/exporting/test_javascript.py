"""The program in JavaScript that travels with an exported model: in Node, and as it is in a page of a browser.

Run where `npm install onnxruntime-web @huggingface/tokenizers` has been said in the checkout.
"""

import json
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import scansion
from browser import launched, needs_browser
from exporting_example import STRANGE, fitted

PACKAGES = Path(__file__).parents[2] / "node_modules"
NAMES = {
    "onnxruntime-web": "onnxruntime-web/dist/ort.wasm.min.mjs",
    "@huggingface/tokenizers": "@huggingface/tokenizers/dist/tokenizers.min.mjs",
}
PAGE = f"""<!doctype html><script type="importmap">
{json.dumps({"imports": {name: f"/node_modules/{place}" for name, place in NAMES.items()}})}
</script>"""
ASK = """async ([place, texts]) => {
  const { scores } = await import(place);
  const found = [];
  for (const text of texts) found.push(await scores(text));
  return found;
}"""
TOGETHER = ["bag-of-words", "n-grams beside static", "lstm", "transformer", "pretrained"]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not (PACKAGES / "onnxruntime-web").exists(), reason="onnxruntime-web is not installed"),
]


class Files(SimpleHTTPRequestHandler):
    """Files of a folder; says nothing."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript", ".wasm": "application/wasm"}

    def log_message(self, *given):
        """Nobody reads it."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with models, the packages and a page."""
    place = tmp_path_factory.mktemp("javascript")
    for name in TOGETHER:
        scansion.export(fitted(name), "onnx").save(place / name)
    (place / "node_modules").symlink_to(PACKAGES)
    (place / "index.html").write_text(PAGE)
    return place


@pytest.fixture(scope="module")
def address(place):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=place)) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@pytest.mark.parametrize("name", TOGETHER)
def test_in_node_the_example_gives_the_same_answer(name, place):
    command = ["node", "example.mjs", *STRANGE]
    done = subprocess.run(command, cwd=place / name, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lines = zip(done.stdout.splitlines(), STRANGE, strict=True)
    found = [json.loads(line.removeprefix(f"{text} "))[1] for line, text in lines]
    assert np.allclose(found, fitted(name).predict_proba(STRANGE), atol=1e-5)


@needs_browser
@pytest.mark.parametrize("name", TOGETHER)
def test_in_a_page_the_example_gives_the_same_answer_as_it_is(name, address):
    with launched().new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/")
        found = page.evaluate(ASK, [f"/{name}/example.mjs", STRANGE])
    assert np.allclose(found, fitted(name).predict_proba(STRANGE), atol=1e-5)
