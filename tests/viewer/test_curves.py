"""Training curves as a picture: whatever a run measured, one well-formed SVG that says it."""

import itertools
import math
import re
from xml.etree import ElementTree

import pytest

from browser import needs_browser, opened
from scansion.viewer.curves import curves

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = r"-?\d+(?:\.\d+)?"


def step(number: int, steps: int, **changes) -> dict:
    progress = min(1.0, (number - 1) / steps)
    return {
        "event": "step", "step": number, "epoch": 1, "progress": progress, "loss": 0.3 + math.exp(-3 * progress),
        "learning_rate": 0.002 * (1 - progress), "tokens": 500, "tokens_per_second": 51_234, "seconds": 0.07 * number,
    } | changes


def epoch(number: int, at: int, epochs: int, **changes) -> dict:
    return {
        "event": "epoch", "step": at, "epoch": number, "epochs": epochs, "training_loss": 0.5,
        "held_out_error": 0.2 + 0.1 / number, "kept": number < 4, "seconds": 0.07 * at,
    } | changes


def run(steps: int, epochs: int) -> list[dict]:
    """A run with a line for every step."""
    lines, long = [], steps // epochs
    for number in range(1, steps + 1):
        lines.append(step(number, steps))
        if number % long == 0:
            lines.append(epoch(number // long, number, epochs))
    return lines


def end(steps: int, kept: int, epochs: int) -> dict:
    return {"event": "end", "step": steps, "epoch": kept, "epochs": epochs, "tokens": 1, "ended": "all epochs done"}


def parsed(lines: list[dict], title: str = "lstm") -> ElementTree.Element:
    return ElementTree.fromstring(curves(title, lines))


def texts(picture: ElementTree.Element, tag: str = "text") -> list[str]:
    return ["".join(each.itertext()) for each in picture.iter(SVG + tag)]


def places(picture: ElementTree.Element, kind: str) -> list[tuple[float, float]]:
    """The points of the one line of a kind."""
    (line,) = [each.get("d") for each in picture.iter(SVG + "path") if each.get("class") == kind]
    numbers = [float(number) for number in re.findall(NUMBER, line)]
    return list(itertools.pairwise(numbers))[::2]


def test_every_epoch_says_its_values_and_the_kept_one_is_marked():
    picture = parsed([*run(40, 5), end(40, 3, 5)])
    said = [each.find(SVG + "title").text for each in picture.iter(SVG + "circle")]
    assert sorted(said) == [
        f"epoch {n}: held-out error {0.2 + 0.1 / n:.3g}, training loss 0.5, after {seconds} s" + ", kept" * (n == 3)
        for n, seconds in zip(range(1, 6), ("0.56", "1.1", "1.7", "2.2", "2.8"), strict=True)
    ]
    assert [each.get("class") for each in picture.iter(SVG + "circle")].count("kept") == 1
    assert "epoch 3 is kept: 0.233" in texts(picture)


def test_its_title_names_the_run_and_the_state_it_is_in():
    assert texts(parsed(run(40, 4)[:12], "rnn, pretraining"))[:2] == [
        "rnn, pretraining", "epoch 1, step 11 in 0.77 s · 25% of the way · 51,000 tokens a second"
    ]
    assert texts(parsed([*run(1_200, 4), end(1_200, 3, 4)]))[:2] == [
        "lstm", "all epochs done: 1,200 steps in 1 min 24 s; kept epoch 3 of 4"
    ]
    assert texts(parsed([]))[:2] == ["lstm", "nothing is measured yet"]


def test_whoever_cannot_see_it_is_told():
    picture = parsed(run(40, 4))
    assert picture.get("role") == "img"
    named = {each.get("id"): each.text for each in picture if each.get("id")}
    assert [*named] == picture.get("aria-labelledby").split()
    assert "held-out error 0.3 after the first epoch, 0.225 after the last" in named["curves-state"]


def test_what_falls_falls_in_the_picture_and_a_run_under_way_leaves_room_for_the_rest():
    lines = run(400, 4)[:201]
    picture = parsed(lines)
    loss = places(picture, "loss")
    assert loss == sorted(loss)  # to the right and, since y grows downwards, down
    whole = places(parsed([*run(400, 4), end(400, 3, 4)]), "loss")
    assert loss[-1][0] - loss[0][0] == pytest.approx((whole[-1][0] - whole[0][0]) / 2, rel=0.02)


def test_a_mean_of_equal_values_is_that_value():
    flat = places(parsed([step(n, 300, loss=0.5) for n in range(1, 301)]), "loss")
    assert len({y for _, y in flat}) == 1


def test_however_long_the_run_the_picture_is_small():
    lines = [step(n, 1_000_000) for n in range(100, 1_000_001, 100)]
    lines += [epoch(n, 500 * n, 2_000) for n in range(1, 2_001)]
    lines.sort(key=lambda line: line["step"])
    drawn = curves("lstm", lines)
    assert len(drawn) < 60_000
    picture = ElementTree.fromstring(drawn)
    numbers = [len(re.findall(NUMBER, each.get("d"))) for each in picture.iter(SVG + "path")]
    assert sum(numbers) / 2 + len(list(picture.iter(SVG + "circle"))) < 1_000
    assert "kept" in {each.get("class") for each in picture.iter(SVG + "circle")}


ODD = [
    [],
    [step(1, 1)],
    [step(1, 2), step(2, 2)],
    [epoch(1, 1, 1)],
    [end(3, 1, 1)],
    [step(1, 2), step(1_000_000, 2)],
    [step(n, 9, loss=value) for n, value in enumerate((math.nan, math.inf, None, "1", 1e308, True, 0.5, 0.5), 1)],
    [step(n, 9, learning_rate=0.0) for n in range(1, 9)],
    [epoch(n, n, 9, held_out_error=0.0, training_loss=math.nan, seconds=None) for n in range(1, 9)],
    [epoch(n, n, 9, kept=False) for n in range(1, 9)],
    [{"event": "step", "step": 3}, {"event": "epoch", "step": 3}, {"event": "end", "step": 3}, {"event": "step"}],
    [step(-1, 9), {**step(1, 9), "step": 10**400}, step(5, 9, progress=math.nan, seconds=math.inf)],
]


@pytest.mark.parametrize("lines", ODD, ids=range(len(ODD)))
def test_no_line_however_odd_breaks_it(lines):
    drawn = curves("lstm", lines)
    ElementTree.fromstring(drawn)
    assert not re.search(r"\b(nan|inf|None)\b", "".join(re.findall(r'\b(?:d|c?[xy])="([^"]*)"', drawn)))


def test_texts_are_escaped_and_what_no_xml_may_hold_is_left_out():
    picture = parsed([{**end(3, 1, 1), "ended": "</desc><script>x</script>\x00"}], "a<b>&\"'\x07\ud800")
    assert texts(picture)[0] == "a<b>&\"'"
    assert not list(picture.iter(SVG + "script"))


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_it_in_the_colours_its_reader_prefers_and_nothing_runs_out(dark, tmp_path):
    path = tmp_path / "curves.svg"
    path.write_text(curves("lstm", [*run(1_200, 8), end(1_200, 3, 8)]), encoding="utf-8")
    with opened(path, dark=dark) as page:
        paper = page.evaluate("getComputedStyle(document.querySelector('.paper')).fill")
        assert paper == ("rgb(22, 22, 20)" if dark else "rgb(252, 251, 248)")
        beyond = page.evaluate("""() => {
            const whole = document.documentElement.viewBox.baseVal;
            return [...document.querySelectorAll('text, circle, path')].map(each => each.getBBox()).filter(
                box => box.x < 0 || box.y < 0 || box.x + box.width > whole.width || box.y + box.height > whole.height
            ).length;
        }""")
        assert beyond == 0
