"""The dialect of OpenAI: ``/v1/models``, ``/v1/embeddings`` and ``/v1/completions``, streamed or not.

https://platform.openai.com/docs/api-reference.  What these models cannot do (log-probabilities, suffixes, token ids) is
refused when it is asked for.
"""

import base64
import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from datetime import datetime
from itertools import count
from typing import Any

import numpy as np

from scansion.serving.batching import size_of
from scansion.serving.refusals import NOT_FOUND, TOO_MANY, UNAUTHORIZED, unprocessable
from scansion.serving.routes import EVENTS, JSON, Call, Reply, Route, reply
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
    one_of,
    record,
    some,
)
from scansion.serving.served_model import ServedModel
from scansion.serving.service import Service
from scansion.serving.text_embeddings import unit
from scansion.tasks.task import GenerateOptions

MAX_TOKENS, MOST_TOKENS, MOST_CHOICES, MOST_STOPS = 16, 16_384, 128, 4
PERCENT = 100.0
SEED_BITS = 31
KINDS = {UNAUTHORIZED: "authentication_error", NOT_FOUND: "not_found_error", TOO_MANY: "rate_limit_error"}

MODEL = record({"id": TEXT, "object": one_of("model"), "created": WHOLE, "owned_by": TEXT})
USAGE = record({"prompt_tokens": WHOLE, "total_tokens": WHOLE}, {"completion_tokens": WHOLE})
EMBEDDING = record({"object": one_of("embedding"), "index": WHOLE, "embedding": any_of(some(NUMBER), TEXT)})
EMBEDDED = record({"object": one_of("list"), "data": some(EMBEDDING), "model": TEXT, "usage": USAGE})
CHOICE = record({
    "text": TEXT, "index": WHOLE, "logprobs": nullable(NUMBER), "finish_reason": nullable(one_of("stop", "length")),
})
COMPLETED = record({
    "id": TEXT, "object": one_of("text_completion"), "created": WHOLE, "model": TEXT, "choices": some(CHOICE),
    "usage": USAGE,
})
ERROR = record({"error": record({
    "message": TEXT, "type": TEXT, "param": nullable(TEXT), "code": nullable(TEXT),
})})
TO_EMBED = record({"input": ONE_OR_MORE_TEXTS, "model": TEXT}, {
    "encoding_format": one_of("float", "base64"), "dimensions": WHOLE, "user": TEXT,
})
OFF = nullable(between(0, 0))
TO_COMPLETE = record({"model": TEXT, "prompt": ONE_OR_MORE_TEXTS}, {
    "max_tokens": nullable(between(1, MOST_TOKENS, "integer")), "temperature": nullable(between(0, 2)),
    "top_p": nullable(between(0, 1)), "n": nullable(between(1, MOST_CHOICES, "integer")),
    "best_of": nullable(between(1, MOST_CHOICES, "integer")), "stream": nullable(TRUTH),
    "stream_options": nullable(record({}, {"include_usage": TRUTH, "include_obfuscation": TRUTH})),
    "stop": nullable(ONE_OR_MORE_TEXTS), "seed": nullable(between(-2**53, 2**53, "integer")), "echo": nullable(TRUTH),
    "presence_penalty": OFF, "frequency_penalty": OFF, "logit_bias": nullable(record({})), "user": TEXT,
})


def problem(status: int, sentence: str) -> dict[str, Any]:
    """An error as OpenAI tells it."""
    return {"error": {
        "message": sentence, "type": KINDS.get(status, "invalid_request_error"), "param": None, "code": None,
    }}


def _told(model: ServedModel) -> dict[str, Any]:
    created = int(datetime.fromisoformat(model.created).timestamp())
    return {"id": model.name, "object": "model", "created": created, "owned_by": "scansion"}


async def models(service: Service, call: Call) -> Reply:
    """What is served."""
    service.check_ready()
    return reply({"object": "list", "data": [_told(each) for each in service.models.values()]})


async def one_model(service: Service, call: Call) -> Reply:
    """One of them."""
    return reply(_told(service.model(call.path["model"])))


async def embeddings(service: Service, call: Call) -> Reply:
    """Vectors of length 1, as numbers or as base64 of float32, the lowest byte first."""
    given = call.body
    model = service.model(given["model"])
    texts = [given["input"]] if isinstance(given["input"], str) else given["input"]
    operation = model.vectors()
    if given.get("dimensions", model.width) != model.width:
        raise unprocessable(f"the body, 'dimensions': the vectors of {model.name} have {model.width} numbers.")
    vectors = unit(np.array(await service.ask(model, operation, texts))).astype("<f4")
    as_text = given.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": number,
         "embedding": base64.b64encode(vector.tobytes()).decode() if as_text else vector.tolist()}
        for number, vector in enumerate(vectors)
    ]
    tokens = await _tokens(service, model, texts)
    return reply({"object": "list", "data": data, "model": model.name,
                  "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})


async def _tokens(service: Service, model: ServedModel, texts: list[str]) -> int:
    counts = await service.ask(model, model.coverage(), texts)
    return sum(tokens for _, tokens in counts)


def _options(given: dict[str, Any]) -> GenerateOptions:
    """How a text is written. RefusalError (422) for what is not done."""
    stop = given.get("stop") or ()
    stop = (stop,) if isinstance(stop, str) else tuple(stop)
    if len(stop) > MOST_STOPS or not all(stop):
        raise unprocessable(f"the body, 'stop': expected up to {MOST_STOPS} texts, none of them empty.")
    if given.get("best_of") not in (None, given.get("n") or 1):
        raise unprocessable("the body, 'best_of': every text that is written is given. Leave it out.")
    if given.get("top_p") == 0:
        raise unprocessable("the body, 'top_p': expected a number above 0. For the likeliest token: temperature 0.")
    seed, temperature = given.get("seed"), given.get("temperature")
    return GenerateOptions(
        int(given.get("max_tokens") or MAX_TOKENS), 1.0 if temperature is None else float(temperature), None,
        given.get("top_p"), None, None, stop,
        secrets.randbits(SEED_BITS) if seed is None else abs(int(seed)) % 2**SEED_BITS,
    )


async def completions(service: Service, call: Call) -> Reply:
    """Text that goes on after each prompt, ``n`` texts a prompt; the same ``seed`` writes the same text again."""
    given = call.body
    model, options = service.model(given["model"]), _options(given)
    prompts = [given["prompt"]] if isinstance(given["prompt"], str) else given["prompt"]
    every = [prompt for prompt in prompts for _ in range(int(given.get("n") or 1))]
    await service.check_texts(model, every)
    lane = service.lanes[model.name]
    lane.admit()
    read = await _tokens(service, model, prompts)
    written = lane.write(lambda: _checked(model, every, options), size_of("".join(every)) + options.max_tokens)
    start = {"id": f"cmpl-{secrets.token_hex(12)}", "object": "text_completion", "created": int(time.time()),
             "model": model.name}
    echo = every if given.get("echo") else [""] * len(every)
    if given.get("stream"):
        first = await anext(written)  # so that a refusal comes before the head of the answer
        usage = bool((given.get("stream_options") or {}).get("include_usage"))
        return Reply(_events(first, written, start, echo, read if usage else None), media=EVENTS)
    texts, reasons, tokens = echo, ["stop"] * len(every), 0
    async with aclosing(written):
        async for each in written:
            texts[each.prompt] += each.text
            tokens += each.ended is None
            reasons[each.prompt] = each.ended or reasons[each.prompt]
    choices = [_choice(number, text, reason) for number, (text, reason) in enumerate(zip(texts, reasons, strict=True))]
    return reply({**start, "choices": choices, "usage": _usage(read, tokens)})


def _checked(model: ServedModel, prompts: list[str], options: GenerateOptions) -> Iterator[Any]:
    return model.written(prompts, options)


def _choice(number: int, text: str, reason: str | None) -> dict[str, Any]:
    return {"text": text, "index": number, "logprobs": None, "finish_reason": reason}


def _usage(read: int, written: int) -> dict[str, int]:
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


async def _events(
    first: Any, written: AsyncGenerator[Any, None], start: dict[str, Any], echo: list[str], read: int | None
) -> AsyncIterator[bytes]:
    """Server-sent events, one a piece of text; at last DONE."""
    written_tokens = count()
    async with aclosing(written):
        for number, text in enumerate(echo):
            if text:
                yield _event({**start, "choices": [_choice(number, text, None)]})
        each = first
        while each is not None:
            if each.ended is None:
                next(written_tokens)
            if each.text or each.ended:
                yield _event({**start, "choices": [_choice(each.prompt, each.text, each.ended)]})
            each = await anext(written, None)
    if read is not None:
        yield _event({**start, "choices": [], "usage": _usage(read, next(written_tokens))})
    yield b"data: [DONE]\n\n"


def _event(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n".encode("utf-8", "replace")


ROUTES = (
    Route("GET", "/v1/models", "The models that are served.", models,
          gives=record({"object": one_of("list"), "data": some(MODEL)}), problem=problem, error=ERROR),
    Route("GET", "/v1/models/{model}", "One of them.", one_model, gives=MODEL, problem=problem, error=ERROR),
    Route("POST", "/v1/embeddings", "Vectors of texts.", embeddings, TO_EMBED, EMBEDDED, problem=problem, error=ERROR),
    Route("POST", "/v1/completions", "Text that goes on.", completions, TO_COMPLETE, any_of(COMPLETED, ANYTHING),
          (JSON, EVENTS), problem=problem, error=ERROR),
)
