"""Pages as a browser shows them: Debian's chromium, driven by Playwright, for tests that must see what readers see."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SERIOUS = {"serious", "critical"}

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt install chromium")


RUNNING = ExitStack()


@cache
def launched() -> Browser:
    """One browser for all tests; each page has a context of its own, which shares nothing with others."""
    playwright = RUNNING.enter_context(sync_playwright())
    return RUNNING.enter_context(playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]))


@contextmanager
def opened(
    path: Path, width: int = 1_200, height: int = 900, scripts: bool = True, dark: bool = False
) -> Iterator[Page]:
    """A page file, open; whatever it asks the network for, and whatever its console says, is an error at the end."""
    requests, messages = [], []
    with launched().new_context(
        viewport={"width": width, "height": height}, java_script_enabled=scripts,
        color_scheme="dark" if dark else "light", offline=True,
    ) as context:
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(path.resolve().as_uri())
        yield page
    asked_for = [url[:100] for url in requests if not url.startswith(("data:", path.resolve().as_uri()))]
    assert not asked_for
    assert not messages


def serious_violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands, of what keeps people from using it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]}" for each in found if each["impact"] in SERIOUS for node in each["nodes"]
    ]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
