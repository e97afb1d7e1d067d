"""The dialect of LibreTranslate: ``/translate``, ``/languages`` and ``/detect``, in JSON, forms or queries.

https://docs.libretranslate.com.  A translator is served under the codes of its two languages,
``scansion serve en-de=FOLDER``; a classifier under the name ``detect``, whose labels are codes, tells languages.
"""

import re
from typing import Any

from scansion.serving.refusals import BAD_REQUEST, RefusalError
from scansion.serving.routes import FORM, JSON, Call, Reply, Route, fields_or_json, reply
from scansion.serving.schemas import NUMBER, ONE_OR_MORE_TEXTS, TEXT, any_of, one_of, record, some
from scansion.serving.served_model import ServedModel
from scansion.serving.service import Service
from scansion.tasks.task import PredictOptions

AUTO, DETECTOR = "auto", "detect"
PAIR = re.compile(r"([a-z]{2,3})-([a-z]{2,3})")
FIELDS = ("q", "source", "target", "format", "api_key")
FOUND = record({"confidence": NUMBER, "language": TEXT})
LANGUAGE = record({"code": TEXT, "name": TEXT, "targets": some(TEXT)})
TRANSLATED = any_of(
    record({"translatedText": TEXT}, {"detectedLanguage": FOUND}),
    record({"translatedText": some(TEXT)}, {"detectedLanguage": some(FOUND)}),
)


def pairs(service: Service) -> dict[tuple[str, str], ServedModel]:
    """Translators by the codes of the language they read and of the one they write."""
    service.check_ready()
    named = {name: PAIR.fullmatch(name) for name, model in service.models.items() if model.translates}
    return {(found[1], found[2]): service.models[name] for name, found in named.items() if found}


async def translate(service: Service, call: Call) -> Reply:
    """A translation of a text, or of each of several."""
    given, known = call.body, pairs(service)
    texts = [given["q"]] if isinstance(given["q"], str) else given["q"]
    source, target = given["source"], given["target"]
    detected: list[dict[str, Any]] | None = None
    if source == AUTO:
        found = await _detected(service, texts)
        detected = [each[0] for each in found]
        sources = [each["language"] for each in detected]
    else:
        sources = [source] * len(texts)
    for each in sources:
        if (each, target) not in known:
            there = ", ".join(f"{a} to {b}" for a, b in known) or "none; serve one under its codes, en-de=FOLDER"
            raise RefusalError(BAD_REQUEST, f"Nothing translates {each!r} to {target!r} here. There is: {there}.")
    written = [""] * len(texts)
    for code in dict.fromkeys(sources):
        rows, model = [row for row, each in enumerate(sources) if each == code], known[code, target]
        answers = await service.ask(model, model.answers(PredictOptions()), [texts[row] for row in rows])
        for row, answer in zip(rows, answers, strict=True):
            written[row] = answer.prediction
    one = isinstance(given["q"], str)
    told: dict[str, Any] = {"translatedText": written[0] if one else written}
    if detected is not None:
        told["detectedLanguage"] = detected[0] if one else detected
    return reply(told)


async def languages(service: Service, call: Call) -> Reply:
    """Every language that is read, and those it is translated into."""
    known = pairs(service)
    codes = dict.fromkeys(code for pair in known for code in pair)
    return reply([
        {"code": code, "name": code, "targets": [target for source, target in known if source == code]}
        for code in codes
    ])


async def detect(service: Service, call: Call) -> Reply:
    """The likeliest languages of a text, with a confidence from 0 to 100."""
    text = call.body["q"]
    (found,) = await _detected(service, [text])
    return reply(found)


async def _detected(service: Service, texts: list[str]) -> list[list[dict[str, Any]]]:
    service.check_ready()
    model = service.models.get(DETECTOR)
    if model is None or not model.form.labels:
        raise RefusalError(BAD_REQUEST, "Nothing tells languages here. Serve a classifier whose labels are codes as "
                           f"{DETECTOR}=FOLDER, or name the source.")
    answers = await service.ask(model, model.answers(PredictOptions(probabilities=True)), texts)
    labels = [str(label) for label in model.form.labels]
    return [
        [{"confidence": 100 * share, "language": label}
         for label, share in sorted(zip(labels, each.probabilities, strict=True), key=lambda pair: -pair[1])]
        for each in answers
    ]


KEY = {"api_key": TEXT}
ROUTES = (
    Route("POST", "/translate", "Translations of texts.", translate,
          record({"q": ONE_OR_MORE_TEXTS, "source": TEXT, "target": TEXT}, {"format": one_of("text"), **KEY}),
          TRANSLATED, reads=fields_or_json, accepts=(JSON, FORM), parameters=FIELDS),
    Route("GET", "/languages", "The languages there are.", languages, gives=some(LANGUAGE)),
    Route("POST", "/detect", "The language of a text.", detect, record({"q": TEXT}, KEY), some(FOUND),
          reads=fields_or_json, accepts=(JSON, FORM), parameters=("q", "api_key")),
)
