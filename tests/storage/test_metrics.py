"""``metrics.jsonl``: lines that stay, whatever happens to the end of the file; and where curves stay for good."""

import json

import pytest

from scansion.errors import StorageError
from scansion.storage.metrics import METRICS, PICTURE, Metrics, curves_folder_of, put_curves, read_metrics


def line(step: int, event: str = "step") -> dict:
    return {"event": event, "step": step, "loss": 0.5}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / METRICS
    metrics = Metrics(path, 0)
    for number in range(1, 5):
        metrics.add(line(number))
    metrics.add(line(4, "epoch"))
    metrics.add(line(4, "end"))
    return path


def test_every_line_is_a_json_object_as_soon_as_it_is_added(path):
    assert [json.loads(each) for each in path.read_text().splitlines()] == [
        line(1), line(2), line(3), line(4), line(4, "epoch"), line(4, "end")
    ]


def test_what_was_measured_beyond_the_step_that_is_gone_on_from_is_dropped(path):
    assert Metrics(path, 2).lines == read_metrics(path) == [line(1), line(2)]


def test_the_end_is_always_to_come(path):
    assert Metrics(path, 4).lines == read_metrics(path) == [line(1), line(2), line(3), line(4), line(4, "epoch")]


@pytest.mark.parametrize("kept", range(1, 40))
def test_a_line_that_was_cut_off_anywhere_is_measured_again(path, kept):
    data = path.read_bytes()
    whole = len(b"".join(data.splitlines(keepends=True)[:2]))
    path.write_bytes(data[: whole + kept])
    metrics = Metrics(path, 2)
    metrics.add(line(3))
    assert read_metrics(path) == [line(1), line(2), line(3)]
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize("foreign", [b"\x00\xff", b"[1, 2]", b"{}", b'{"event": "step"}', b'{"event": "x", "step": 1}'])
def test_what_is_no_line_of_ours_is_left_out(path, foreign):
    path.write_bytes(foreign + b"\n" + path.read_bytes())
    assert read_metrics(path)[0] == line(1)


def test_what_is_not_a_finite_number_is_null(tmp_path):
    metrics = Metrics(tmp_path / METRICS, 0)
    metrics.add({"event": "epoch", "step": 1, "held_out_error": float("nan"), "training_loss": float("inf")})
    (found,) = read_metrics(tmp_path / METRICS)
    assert (found["held_out_error"], found["training_loss"]) == (None, None)


def test_curves_stay_beside_the_model(tmp_path):
    assert curves_folder_of(tmp_path / "film.v2.run") == tmp_path / "film.v2.curves"


def test_curves_of_an_older_model_make_way_and_nothing_else_does(tmp_path):
    place = tmp_path / "model.curves"
    put_curves(place, {})
    assert not place.exists()
    put_curves(place, {METRICS: b"{}\n", PICTURE: b"<svg/>"})
    put_curves(place, {METRICS: b""})
    assert [file.name for file in place.iterdir()] == [METRICS]
    put_curves(place, {})
    assert not place.exists()
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    for files in ({}, {METRICS: b""}):
        with pytest.raises(StorageError, match=r"is taken and is not replaced: it holds mine\.txt"):
            put_curves(place, files)
