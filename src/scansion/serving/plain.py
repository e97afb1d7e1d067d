"""The plain dialect: ask a model for answers, for why, and for the page that shows what it does."""

from typing import Any

from scansion.serving.refusals import unprocessable
from scansion.serving.routes import FORM, HTML, JSON, Call, Reply, Route, fields_or_json, reply
from scansion.serving.schemas import (
    ANYTHING,
    NUMBER,
    ONE_OR_MORE_TEXTS,
    TEXT,
    TRUTH,
    WHOLE,
    any_of,
    between,
    nullable,
    record,
    some,
)
from scansion.serving.service import Service
from scansion.tasks.task import LookOptions, PredictOptions

MOST_BEAM, MOST_WINDOW = 64, 1_000_000

MODEL = record({"name": TEXT, "task": TEXT, "family": TEXT, "does": some(TEXT), "labels": some(ANYTHING)})
ASKED = record({"texts": ONE_OR_MORE_TEXTS}, {
    "model": TEXT, "probabilities": TRUTH, "counts": TRUTH, "beam": between(1, MOST_BEAM, "integer"),
})
PREDICTION = record({"prediction": ANYTHING}, {
    "probabilities": {"type": "object", "additionalProperties": NUMBER}, "tokens_known": WHOLE, "tokens": WHOLE,
})
ANSWERED = record({"model": TEXT, "predictions": some(PREDICTION)})
TOKEN = record({"token": TEXT, "start": WHOLE, "end": WHOLE, "contribution": NUMBER})
EXPLAINED = record({
    "model": TEXT, "answer": TEXT, "probability": nullable(NUMBER), "score": NUMBER, "base": NUMBER,
    "completeness_error": NUMBER, "tokens": some(TOKEN), "removed": NUMBER, "removed_at_random": some(NUMBER),
})
LOOKED_AT = record({"text": TEXT}, {
    "model": TEXT, "answer": TEXT, "translation": TEXT, "window": any_of(between(1, MOST_WINDOW, "integer"), TEXT),
})


async def models(service: Service, call: Call) -> Reply:
    """What is served."""
    service.check_ready()
    return reply({"models": [
        {"name": each.name, "task": each.kind.name, "family": each.family, "does": each.does,
         "labels": list(each.form.labels)}
        for each in service.models.values()
    ]})


async def predict(service: Service, call: Call) -> Reply:
    """An answer a text: the same as ``predict`` of the command gives."""
    given = call.body
    model = service.model(given.get("model"), "predict")
    beam = given.get("beam")
    options = PredictOptions(
        given.get("probabilities", False), given.get("counts", False), None if beam is None else int(beam)
    )
    texts = [given["texts"]] if isinstance(given["texts"], str) else given["texts"]
    found = await service.ask(model, model.answers(options), texts)
    labels = [str(label) for label in model.form.labels]
    predictions = []
    for each in found:
        told: dict[str, Any] = {"prediction": each.prediction}
        if each.probabilities is not None:
            told["probabilities"] = dict(zip(labels, each.probabilities, strict=True))
        if each.counts is not None:
            told["tokens_known"], told["tokens"] = each.counts
        predictions.append(told)
    return reply({"model": model.name, "predictions": predictions})


async def explain(service: Service, call: Call) -> Reply:
    """What each token of a text adds to the score of an answer."""
    model = service.model(call.body.get("model"), "explain")
    (found,) = await service.ask(model, model.explanation(call.body.get("answer")), [call.body["text"]])
    tokens = [
        {"token": token, "start": start, "end": end, "contribution": contribution}
        for token, (start, end), contribution in zip(
            found.tokens, found.offsets, found.contributions.tolist(), strict=True
        )
    ]
    return reply({
        "model": model.name, "answer": found.answer, "probability": found.probability, "score": float(found.score),
        "base": float(found.base), "completeness_error": float(found.completeness_error), "tokens": tokens,
        "removed": float(found.removed), "removed_at_random": [float(each) for each in found.removed_at_random],
    })


async def look(service: Service, call: Call) -> Reply:
    """The page of ``scansion look``."""
    given = call.body
    model = service.model(given.get("model"), "look")
    window = str(given.get("window", 1))
    if not window.isdecimal() or not 1 <= int(window) <= MOST_WINDOW:
        raise unprocessable(f"the body, 'window': expected a whole number from 1, got {window[:20]!r}.")
    options = LookOptions(given.get("answer"), given.get("translation"), int(window))
    (page,) = await service.ask(model, model.page(options), [given["text"]])
    return Reply(page.encode("utf-8", "replace"), media=HTML)


ROUTES = (
    Route("GET", "/models", "The models that are served.", models, gives=record({"models": some(MODEL)})),
    Route("POST", "/predict", "Answers to texts.", predict, ASKED, ANSWERED, mark="texts"),
    Route("POST", "/explain", "What each token of a text adds to an answer.", explain,
          record({"text": TEXT}, {"model": TEXT, "answer": TEXT}), EXPLAINED),
    Route("POST", "/look", "A page that shows what a model does with a text.", look, LOOKED_AT, media=(HTML,),
          reads=fields_or_json, accepts=(JSON, FORM)),
)
