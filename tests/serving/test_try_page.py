"""The page of a server, as a browser shows it."""

from contextlib import contextmanager

import pytest

from browser import launched, needs_browser, overflow, serious_violations
from serving_process import serving


@contextmanager
def visited(address, path="/", width=1_200, dark=False):
    """A page of a server, open; whatever else it asks the network for, and whatever its console says, is an error."""
    asked_for, messages = [], []
    with launched().new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    ) as context:
        page = context.new_page()
        page.on("request", lambda request: asked_for.append(request.url))
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(address + path)
        yield page
    assert not [url for url in asked_for if not url.startswith((f"{address}/", "data:"))]
    assert not messages


@pytest.fixture(scope="module")
def address(folders, warm_processes):
    with serving({name: folders[name] for name in ("bag", "writer", "en-de")}) as (address, _):
        yield address


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1_600])
def test_the_pages_are_for_everybody_at_any_width_by_day_and_night(address, width, dark):
    for path, ready in (("/", "#answer"), ("/docs", "#routes")):
        with visited(address, path, width, dark) as page:
            page.wait_for_selector(f"{ready}[data-ready=true]", state="attached")
            assert overflow(page) <= 0
            assert serious_violations(page) == []


@needs_browser
def test_a_text_is_answered_explained_looked_at_and_gone_on_with(address):
    with visited(address) as page:
        page.wait_for_selector("#answer[data-ready=true]", state="attached")
        page.fill("#text", "a quiet <b>marvel</b> 😀 indeed")
        page.get_by_role("button", name="Answer").click()
        assert page.wait_for_selector(".prediction").inner_text() == "good"
        assert page.locator("#answer tr").count() == 2
        assert serious_violations(page) == []
        page.get_by_role("button", name="Why").click()
        strip = page.wait_for_selector(".strip")
        assert strip.inner_text() == "a quiet <b>marvel</b> 😀 indeed"
        assert {"quiet", "marvel", "😀", "indeed"} <= set(page.locator(".strip span").all_inner_texts())
        with page.context.expect_page() as opened:
            page.get_by_role("button", name="Look inside").click()
        assert "a quiet" in opened.value.inner_text("h1")
        page.select_option("#model", "writer")
        assert not page.get_by_role("button", name="Why").is_visible()
        page.get_by_role("button", name="Write on").click()
        assert page.wait_for_selector(".prediction").inner_text().startswith("a quiet")
        page.select_option("#model", "en-de")
        page.get_by_role("button", name="Answer").click()
        page.wait_for_selector(".prediction")
