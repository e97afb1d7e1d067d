"""What a server refuses and how, asked inside this process."""

import asyncio
import json
import threading

import httpx
import pytest

import scansion
from scansion.errors import UsageError
from scansion.server_limits import Limits
from scansion.serving.application import application, check_names
from scansion.serving.service import Service
from serving_process import LABELS, TEXTS, finished

BAG = {"texts": ["a quiet failure"], "model": "bag"}


def ask_service(folders, asking, limits=None, key=None, start=True):
    """What ``asking(client, service)`` comes to, with a service of its own."""
    async def inside():
        service = Service(folders, limits or Limits(), key)
        transport = httpx.ASGITransport(application(service), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            if start:
                await service.start()
            try:
                return await asking(client, service)
            finally:
                await service.stop()
    return finished(inside())


@pytest.fixture(scope="module")
def two(folders):
    return {name: folders[name] for name in ("bag", "writer")}


def test_while_it_loads_and_while_it_ends_it_lives_and_is_not_ready(two):
    async def asking(client, service):
        before = [(await client.get(path)).status_code for path in ("/live", "/ready", "/v2/health/live")]
        refused = await client.post("/predict", json=BAG)
        await service.start()
        ready = (await client.get("/ready")).status_code
        await service.drained()
        after = [(await client.get(path)).status_code for path in ("/live", "/ready", "/models")]
        return before, refused, ready, after

    before, refused, ready, after = ask_service(two, asking, start=False)
    assert before == [200, 503, 200]
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert ready == 200
    assert after == [200, 503, 503]


@pytest.mark.parametrize(("path", "body", "status", "sentence"), [
    ("/predict", b"{", 400, "is not JSON"),
    ("/predict", b"", 400, "no body"),
    ("/predict", b'{"texts": "\\ud800"}', 400, "half a surrogate pair"),
    ("/predict", b'{"texts": "a", "texts": "b"}', 400, "stands twice"),
    ("/predict", b"[" * 1_000, 400, "nested"),
    ("/predict", b"\xff\xfe", 400, "UTF-8"),
    ("/predict", {"texts": "a"}, 422, "Which model"),
    ("/predict", {**BAG, "model": "bog"}, 404, "did you mean 'bag'"),
    ("/predict", {**BAG, "textx": 1}, 422, "did you mean 'texts'"),
    ("/predict", {**BAG, "texts": []}, 422, "at least 1"),
    ("/predict", {**BAG, "texts": [1]}, 422, "expected text, got 1"),
    ("/predict", {**BAG, "texts": ["a"] * 9}, 422, "9 texts; a request may hold 8"),
    ("/predict", {**BAG, "texts": "word " * 60}, 422, "60 tokens; a text may have 50"),
    ("/predict", {**BAG, "texts": "word" * 60}, 200, ""),
    ("/predict", {**BAG, "beam": 3}, 422, "--beam does not go with"),
    ("/predict", {**BAG, "texts": "x" * 3_000}, 413, "2,000 bytes"),
    ("/explain", {"model": "bag", "text": "a", "answer": "goood"}, 422, "did you mean 'good'"),
    ("/explain", {"model": "writer", "text": "a"}, 422, "not explained"),
    ("/v1/completions", {"model": "writer", "prompt": "a", "max_tokens": 0}, 422, "expected a number from 1"),
    ("/v1/completions", {"model": "writer", "prompt": "a", "n": True}, 422, "a whole number"),
    ("/v2/models/bag/versions/2/infer", {}, 422, "lacks 'inputs'"),
    ("/embed", {"inputs": "a"}, 422, "No model here can embed"),
    ("/translate", {"q": "a", "source": "en", "target": "de"}, 400, "Nothing translates"),
])
def test_what_cannot_be_done_is_refused_with_a_sentence(two, path, body, status, sentence):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def asking(client, service):
        return await client.post(path, content=content, headers={"Content-Type": "application/json"})

    found = ask_service(two, asking, Limits(texts=8, tokens=50, body_bytes=2_000))
    assert found.status_code == status, found.text
    assert sentence in found.text


def test_a_key_is_asked_for_before_anything_is_read(two):
    async def asking(client, service):
        keys = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic secret"},
                {"Authorization": "bearer secret"}]
        found = [(await client.post("/predict", json=BAG, headers=headers)).status_code for headers in keys]
        asked = {"q": "a", "source": "en", "target": "de"}
        form = [(await client.post("/translate", data={**asked, "api_key": key})).status_code
                for key in ("wrong", "secret")]
        other = [(await client.get(path)).status_code for path in ("/", "/live", "/ready", "/openapi.json", "/metrics")]
        return found, form, other

    found, form, other = ask_service(two, asking, key="secret")
    assert found == [401, 401, 401, 200]
    assert form == [401, 400]
    assert other == [200, 200, 200, 200, 401]


def test_a_full_queue_refuses_at_once_and_what_was_taken_is_answered(two, monkeypatch):
    may_read = threading.Event()

    async def asking(client, service):
        estimator = service.models["bag"].estimator
        real = estimator.decision_function
        monkeypatch.setattr(estimator, "decision_function", lambda texts: may_read.wait(10) and real(texts))
        taken = [asyncio.ensure_future(client.post("/predict", json=BAG)) for _ in range(8)]
        while service.lanes["bag"].texts < 8:
            await asyncio.sleep(0.001)
        refused = await client.post("/predict", json=BAG)
        before = not any(each.done() for each in taken)
        may_read.set()
        return [each.status_code for each in await asyncio.gather(*taken)], refused, before

    taken, refused, before = ask_service(two, asking, Limits(texts=8, queue_texts=8))
    assert taken == [200] * 8
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert before


def test_a_model_that_breaks_answers_the_next_request(two, monkeypatch, capsys):
    async def asking(client, service):
        estimator = service.models["bag"].estimator
        with monkeypatch.context() as patch:
            patch.setattr(estimator, "decision_function", lambda texts: 1 / 0)
            broken = await client.post("/predict", json=BAG)
        return broken, await client.post("/predict", json=BAG)

    broken, fine = ask_service(two, asking)
    assert (broken.status_code, fine.status_code) == (500, 200)
    assert "ZeroDivisionError" in broken.text
    assert "quiet failure" not in capsys.readouterr().err


def test_a_replaced_folder_is_loaded_anew_and_no_request_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("scansion.serving.service.SECONDS_BETWEEN_LOOKS", 0.01)
    place = tmp_path / "bag"
    scansion.DocumentClassifier("bag-of-words").fit(TEXTS, LABELS).save(place)
    other = scansion.DocumentClassifier("bag-of-words").fit(TEXTS, [f"new {label}" for label in LABELS])

    async def asking(client, service):
        answers = []
        for number in range(1_000):
            found = await client.post("/predict", json={"texts": TEXTS[:2]})
            assert found.status_code == 200
            answers.append([each["prediction"] for each in found.json()["predictions"]])
            if number == 5:
                await asyncio.to_thread(other.save, place)
            if answers[-1][0].startswith("new"):
                break
        (place / "manifest.json").write_text("{}")
        while not service.metrics.reloads.counts.get(("bag", "failed")):
            await asyncio.sleep(0.01)
        return answers, (await client.post("/predict", json={"texts": TEXTS[:2]})).json()["predictions"]

    answers, after = ask_service({"bag": place}, asking)
    assert answers[0] == ["bad", "good"]
    assert answers[-1] == ["new bad", "new good"] == [each["prediction"] for each in after]
    assert all(each in (answers[0], answers[-1]) for each in answers)


def test_metrics_have_a_line_a_route_and_no_text(two):
    async def asking(client, service):
        for path in ("/predict", "/nothing/here", "/v2/models/secret-name/infer"):
            await client.post(path, json=BAG)
        await client.request("BREW", "/predict")
        return (await client.get("/metrics")).text

    found = ask_service(two, asking)
    assert 'scansion_requests_total{route="/predict",method="POST",status="200"} 1' in found
    assert 'scansion_requests_total{route="unknown",method="other",status="405"} 1' in found
    assert 'scansion_batch_texts_count{model="bag"} 1' in found
    assert "secret" not in found
    assert "quiet" not in found
    samples = [line for line in found.splitlines() if not line.startswith("#")]
    assert all(len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) >= 0 for line in samples)


def test_names_of_models_stand_in_paths():
    for names in (["a/b"], [""], ["a", "a"], ["a b"]):
        with pytest.raises(UsageError):
            check_names(names)
    check_names(["en-de", "Modell.2", "größe"])


def test_limits_that_make_no_sense_are_refused():
    for limits in ({"texts": 0}, {"queue_texts": 0}, {"batch_wait": -1}, {"queue_seconds": float("nan")}):
        with pytest.raises(UsageError):
            Limits(**limits)
