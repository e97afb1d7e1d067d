"""The dialect of Hugging Face's text-embeddings-inference: ``/embed``, ``/predict`` and ``/info``.

https://huggingface.github.io/text-embeddings-inference.  It serves one model; where several are served, the paths below
``/models/NAME`` name one.  Texts are never truncated: what is too long is refused.
"""

from importlib.metadata import version
from typing import Any

import numpy as np

from scansion.serving.refusals import TOO_MANY, UNAVAILABLE, unprocessable
from scansion.serving.routes import Call, Reply, Route, reply
from scansion.serving.schemas import (
    NUMBER,
    ONE_OR_MORE_TEXTS,
    TEXT,
    TRUTH,
    WHOLE,
    any_of,
    nullable,
    one_of,
    record,
    some,
)
from scansion.serving.served_model import ServedModel
from scansion.serving.service import Service
from scansion.tasks.task import PredictOptions

ABOVE, BELOW = "/models/{model}", ""
SHARED = {
    "truncate": nullable(TRUTH), "truncation_direction": nullable(one_of("left", "right", "Left", "Right")),
    "prompt_name": nullable(TEXT), "normalize": nullable(TRUTH), "dimensions": nullable(WHOLE),
    "raw_scores": nullable(TRUTH),
}
ASKED = record({"inputs": ONE_OR_MORE_TEXTS}, {**SHARED, "parameters": record({}, SHARED)})
VECTOR, SCORE = some(NUMBER), record({"score": NUMBER, "label": TEXT})
INFO = record({
    "model_id": TEXT, "model_sha": nullable(TEXT), "model_dtype": TEXT, "model_type": {"type": "object"},
    "max_concurrent_requests": WHOLE, "max_input_length": WHOLE, "max_batch_tokens": WHOLE,
    "max_client_batch_size": WHOLE, "version": TEXT,
})
TYPES = {TOO_MANY: "Overloaded", UNAVAILABLE: "Unhealthy"}
ERROR = record({"error": TEXT, "error_type": TEXT})


def problem(status: int, sentence: str) -> dict[str, Any]:
    """An error as that server tells it."""
    return {"error": sentence, "error_type": TYPES.get(status, "Validation")}


def _asked(call: Call, *taken: str) -> dict[str, Any]:
    """The options, from wherever they stand. RefusalError (422) for one that would change what is read."""
    given = {key: value for key, value in {**call.body, **call.body.get("parameters", {})}.items() if value is not None}
    for option in sorted(given.keys() - {"inputs", "parameters", "truncate", "truncation_direction", *taken}):
        if given[option] is not False:
            raise unprocessable(f"the body, {option!r}: this model has no such choice. Leave it out.")
    return given


def _texts(given: dict[str, Any]) -> list[str]:
    return [given["inputs"]] if isinstance(given["inputs"], str) else given["inputs"]


async def embed(service: Service, call: Call) -> Reply:
    """A vector a text, of length 1 unless ``normalize`` is false."""
    given = _asked(call, "normalize", "dimensions")
    model = service.model(call.path.get("model"), "embed")
    vectors = np.array(await service.ask(model, model.vectors(), _texts(given)))
    if given.get("dimensions", vectors.shape[1]) != vectors.shape[1]:
        raise unprocessable(f"the body, 'dimensions': the vectors have {vectors.shape[1]} numbers.")
    return reply((unit(vectors) if given.get("normalize", True) else vectors).tolist())


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, D) of length 1; one of zeros stays."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)


async def classify(service: Service, call: Call) -> Reply:
    """Every label with its probability, the likeliest first; of several texts a list each."""
    given = _asked(call, "raw_scores")
    if given.get("raw_scores"):
        raise unprocessable("the body, 'raw_scores': only probabilities are given. Leave it out.")
    model = service.model(call.path.get("model"), "predict")
    found = await service.ask(model, model.answers(PredictOptions(probabilities=True)), _texts(given))
    scores = [scored(model, each.probabilities) for each in found]
    return reply(scores[0] if isinstance(given["inputs"], str) else scores)


def scored(model: ServedModel, probabilities: list[float]) -> list[dict[str, Any]]:
    """Labels with their probabilities, the likeliest first."""
    pairs = zip(map(str, model.form.labels), probabilities, strict=True)
    return [{"score": share, "label": label} for label, share in sorted(pairs, key=lambda pair: -pair[1])]


async def info(service: Service, call: Call) -> Reply:
    """What is served, and the limits."""
    model, limits = service.model(call.path.get("model")), service.limits
    labels = [str(label) for label in model.form.labels]
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: number for number, label in enumerate(labels)}}
    return reply({
        "model_id": model.name, "model_sha": None, "model_dtype": "float32",
        "model_type": {"classifier": names} if labels else {"embedding": {"pooling": "mean"}},
        "max_concurrent_requests": limits.queue_texts, "max_input_length": limits.tokens,
        "max_batch_tokens": limits.batch_tokens, "max_client_batch_size": limits.texts,
        "version": version("scansion"),
    })


ROUTES = tuple(
    route for place in (BELOW, ABOVE) for route in (
        Route("POST", f"{place}/embed", "Vectors of texts.", embed, ASKED, some(VECTOR), problem=problem, error=ERROR),
        Route("POST", f"{place}/predict", "Labels with their probabilities.", classify, ASKED,
              any_of(some(SCORE), some(some(SCORE))), problem=problem, error=ERROR, mark="inputs"),
        Route("GET", f"{place}/info", "What is served, and the limits.", info, gives=INFO, problem=problem,
              error=ERROR),
    )
)
