"""Clients as others publish them, none of them changed: what they get is what the models in this process answer."""

import json
import urllib.request

import numpy as np
import openai
import pytest
from deep_translator import LibreTranslator
from huggingface_hub import InferenceClient
from libretranslatepy import LibreTranslateAPI

from serving_process import TEXTS, posted

NEW = ["a quiet failure", "loud", "", "number 3 and 4", "ein stilles Wunder ✓"]


@pytest.fixture
def client(server):
    with openai.OpenAI(base_url=f"{server}/v1", api_key="none", max_retries=0) as client:
        yield client


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_plain_dialect_answers_as_predict_does(server, loaded):
    for name in ("bag", "lstm", "frozen", "sets", "numbers", "en-de", "writer"):
        found = posted(server, "/predict", {"model": name, "texts": NEW})["predictions"]
        wanted = np.array(loaded[name].predict(NEW), object).tolist()
        if name == "sets":
            wanted = loaded[name].fitted_.answers(loaded[name].decision_function(NEW))
        assert len(found) == len(NEW)
        for each, want in zip(found, wanted, strict=True):
            told = each["prediction"]
            assert (tuple(told) if name == "sets" else told) == (pytest.approx(want) if name == "numbers" else want)


def test_probabilities_and_counts_are_those_of_predict(server, loaded):
    found = posted(server, "/predict", {"model": "lstm", "texts": NEW, "probabilities": True, "counts": True})
    for row, each in enumerate(found["predictions"]):
        assert list(each["probabilities"]) == ["bad", "good"]
        assert list(each["probabilities"].values()) == pytest.approx(loaded["lstm"].predict_proba(NEW)[row], abs=1e-6)
        assert (each["tokens_known"], each["tokens"]) == tuple(loaded["lstm"].coverage(NEW)[row])


def test_an_explanation_adds_up_to_the_score(server, loaded):
    found = posted(server, "/explain", {"model": "bag", "text": "a quiet failure"})
    assert found["base"] + sum(each["contribution"] for each in found["tokens"]) == pytest.approx(found["score"])
    assert [each["token"] for each in found["tokens"]] == ["a", "quiet", "failure"]


def test_a_look_is_the_page_of_the_command(server, loaded):
    request = urllib.request.Request(f"{server}/look", json.dumps({"model": "bag", "text": TEXTS[0]}).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.read().decode() == loaded["bag"].look(TEXTS[0]).html()


def test_openai_lists_models(client):
    assert {each.id for each in client.models.list()} >= {"bag", "writer", "en-de"}
    assert client.models.retrieve("bag").owned_by == "scansion"
    with pytest.raises(openai.NotFoundError, match="There is no model 'bog'"):
        client.models.retrieve("bog")


@pytest.mark.parametrize("encoding", ["float", "base64", openai.NOT_GIVEN])
def test_openai_embeds(client, loaded, encoding):
    found = client.embeddings.create(model="frozen", input=NEW[:2], encoding_format=encoding)
    vectors = [each.embedding for each in found.data]
    if encoding == "base64":
        vectors = [np.frombuffer(__import__("base64").b64decode(each), "<f4") for each in vectors]
    assert np.array(vectors) == pytest.approx(unit(loaded["frozen"].transform(NEW[:2])), abs=1e-6)
    assert found.usage.total_tokens == loaded["frozen"].coverage(NEW[:2])[:, 1].sum()


def test_openai_completes_as_generate_does(client, loaded):
    given = {"model": "writer", "prompt": "to be", "max_tokens": 9, "temperature": 0, "seed": 3}
    found = client.completions.create(**given)
    assert found.choices[0].text == loaded["writer"].generate("to be", 9, temperature=0, random_state=3)
    assert (found.choices[0].finish_reason, found.usage.completion_tokens) == ("length", 9)
    whole = client.completions.create(**{**given, "max_tokens": 500, "temperature": 1})
    assert whole.choices[0].finish_reason == "stop"
    assert client.completions.create(**given, stop="o", echo=True, n=2).choices[1].text.startswith("to be")


def test_openai_streams_the_same_text(client):
    given = {"model": "writer", "prompt": ["to be", "not"], "max_tokens": 12, "seed": 5}
    whole = client.completions.create(**given)
    texts, reasons = ["", ""], [None, None]
    for event in client.completions.create(**given, stream=True, stream_options={"include_usage": True}):
        for choice in event.choices:
            texts[choice.index] += choice.text
            reasons[choice.index] = choice.finish_reason
        usage = event.usage
    assert texts == [each.text for each in whole.choices]
    assert reasons == [each.finish_reason for each in whole.choices]
    assert usage == whole.usage


def test_openai_is_told_what_is_not_done(client):
    with pytest.raises(openai.UnprocessableEntityError, match="logprobs"):
        client.completions.create(model="writer", prompt="to", logprobs=3)
    with pytest.raises(openai.UnprocessableEntityError, match="no dense vectors"):
        client.embeddings.create(model="bag", input="x")
    with pytest.raises(openai.UnprocessableEntityError, match="does not write on"):
        client.completions.create(model="bag", prompt="to")


@pytest.mark.parametrize("binary", [True, False])
def test_triton_infers(server, loaded, binary):
    triton = pytest.importorskip("tritonclient.http", exc_type=ImportError)
    with triton.InferenceServerClient(server.removeprefix("http://")) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("lstm")
        assert client.get_server_metadata()["name"] == "scansion"
        (read,) = client.get_model_metadata("lstm", "1")["inputs"]
        given = triton.InferInput(read["name"], [len(NEW)], read["datatype"])
        given.set_data_from_numpy(np.array(NEW, object), binary_data=binary)
        outputs = [triton.InferRequestedOutput(name, binary_data=binary)
                   for name in ("answer", "probabilities", "vector")]
        found = client.infer("lstm", [given], outputs=outputs, request_id="7")
        answers = [each.decode() if isinstance(each, bytes) else each for each in found.as_numpy("answer")]
        assert answers == loaded["lstm"].predict(NEW).tolist()
        assert found.as_numpy("probabilities") == pytest.approx(loaded["lstm"].predict_proba(NEW), abs=1e-6)
        assert found.as_numpy("vector") == pytest.approx(loaded["lstm"].transform(NEW), abs=1e-5)
        assert found.get_response()["id"] == "7"
        numbers = client.infer("numbers", [given]).as_numpy("answer")
        assert numbers == pytest.approx(loaded["numbers"].predict(NEW))


def test_libretranslate_translates_detects_and_lists(server, loaded):
    client = LibreTranslateAPI(server)
    assert client.translate("one two", "en", "de") == loaded["en-de"].predict(["one two"])[0]
    assert client.translate("the house", "auto", "de") == loaded["en-de"].predict(["the house"])[0]
    assert client.detect("das Haus")[0]["language"] == "de"
    assert client.languages()[0] == {"code": "en", "name": "en", "targets": ["de"]}


def test_deep_translator_translates(server, loaded):
    client = LibreTranslator(source="en", target="de", custom_url=f"{server}/", api_key="none")
    assert client.translate("two three") == loaded["en-de"].predict(["two three"])[0]


def test_hugging_face_embeds_and_classifies(server, loaded):
    vectors = InferenceClient(f"{server}/models/frozen/embed").feature_extraction(NEW[1])
    assert vectors == pytest.approx(unit(loaded["frozen"].transform([NEW[1]])), abs=1e-6)
    plain = InferenceClient(f"{server}/models/frozen/embed").feature_extraction(NEW[1], normalize=False)
    assert plain == pytest.approx(loaded["frozen"].transform([NEW[1]]), abs=1e-5)
    found = InferenceClient(f"{server}/models/lstm/predict").text_classification(NEW[0])
    best = found[0] if isinstance(found, list) else found
    assert best.label == loaded["lstm"].predict([NEW[0]])[0]
    assert best.score == pytest.approx(loaded["lstm"].predict_proba([NEW[0]]).max(), abs=1e-6)
