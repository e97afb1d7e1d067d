"""The dialect of the Open Inference Protocol, version 2, over REST, with its extension for binary tensors.

https://github.com/kserve/open-inference-protocol, and Triton's binary data: a text is its length in four bytes, the
lowest first, and its UTF-8.  A model reads the tensor ``text`` (N,) and writes ``answer`` (N,), ``probabilities``
(N, labels) where it answers with labels, and ``vector`` (N, D) where it makes one.
"""

import json
import struct
from importlib.metadata import version
from typing import Any

import numpy as np

from scansion.serving.refusals import BAD_REQUEST, NOT_FOUND, RefusalError, unprocessable
from scansion.serving.routes import BYTES, JSON, Call, Reply, Route, json_body, reply
from scansion.serving.schemas import ANYTHING, TEXT, TRUTH, WHOLE, check, one_of, record, some
from scansion.serving.served_model import ServedModel
from scansion.serving.service import Service
from scansion.tasks.task import PredictOptions

HEADER_LENGTH = "inference-header-content-length"
VERSION = "1"
PARAMETERS = record({}, closed=False)
INPUT = record({"name": one_of("text"), "shape": some(WHOLE, 1), "datatype": one_of("BYTES")},
               {"data": some(ANYTHING), "parameters": PARAMETERS})
OUTPUT = record({"name": one_of("answer", "probabilities", "vector")}, {"parameters": PARAMETERS})
ASKED = record({"inputs": some(INPUT, 1)}, {"id": TEXT, "outputs": some(OUTPUT), "parameters": PARAMETERS})
GIVEN = record(
    {"name": TEXT, "shape": some(WHOLE), "datatype": TEXT}, {"data": some(ANYTHING), "parameters": PARAMETERS}
)
INFERRED = record({"model_name": TEXT, "model_version": TEXT, "outputs": some(GIVEN)}, {"id": TEXT})
TENSOR = record({"name": TEXT, "datatype": TEXT, "shape": some(WHOLE)})
METADATA = record({"name": TEXT, "versions": some(TEXT), "platform": TEXT, "inputs": some(TENSOR),
                   "outputs": some(TENSOR)})


def read_body(call: Call) -> Any:
    """JSON, behind which the bytes of a tensor may stand; they become its ``data``."""
    if HEADER_LENGTH not in call.headers:
        return json_body(call)
    given = call.headers[HEADER_LENGTH]
    if not given.isdecimal() or int(given) > len(call.raw):
        raise RefusalError(BAD_REQUEST, f"{HEADER_LENGTH} is {given!r} of a body of {len(call.raw):,} bytes.")
    head = json_body(Call(call.path, call.query, call.headers, call.raw[: int(given)]))
    check(head, ASKED)
    rest = call.raw[int(given) :]
    for each in head["inputs"]:
        size = each.get("parameters", {}).get("binary_data_size")
        if size is None:
            continue
        if not isinstance(size, int) or not 0 <= size <= len(rest) or "data" in each:
            raise unprocessable("the body, 'binary_data_size': does not fit what stands behind the JSON.")
        each["data"], rest = _texts_from(rest[:size]), rest[size:]
    if rest:
        raise unprocessable(f"the body: {len(rest):,} bytes behind the JSON belong to no tensor.")
    return head


def _texts_from(data: bytes) -> list[str]:
    texts, at = [], 0
    while at < len(data):
        if at + 4 > len(data) or at + 4 + (size := struct.unpack_from("<I", data, at)[0]) > len(data):
            raise unprocessable("the body: a tensor of BYTES ends in the middle of a text.")
        try:
            texts.append(data[at + 4 : at + 4 + size].decode("utf-8"))
        except UnicodeDecodeError as error:
            raise unprocessable(f"the body: text {len(texts) + 1} is not UTF-8.") from error
        at += 4 + size
    return texts


def outputs_of(model: ServedModel) -> dict[str, tuple[str, list[int]]]:
    """The datatype and the shape of each tensor that a model writes; -1 is for the texts."""
    numbers = model.form.kind is float and not model.form.labels
    found = {"answer": ("FP64" if numbers else "BYTES", [-1])}
    if model.form.labels:
        found["probabilities"] = ("FP64", [-1, len(model.form.labels)])
    if model.width is not None:
        found["vector"] = ("FP32", [-1, model.width])
    return found


def _texts(given: dict[str, Any]) -> list[str]:
    if len(given["inputs"]) != 1:
        raise unprocessable("the body, 'inputs': expected one tensor, 'text'.")
    (tensor,) = given["inputs"]
    flat: list[Any] = tensor.get("data", [])
    while flat and isinstance(flat[0], list):  # nested, as rows
        if not all(isinstance(row, list) for row in flat):
            raise unprocessable("the body, 'inputs', 'data': rows and texts stand side by side.")
        flat = [each for row in flat for each in row]
    if not all(isinstance(each, str) for each in flat):
        raise unprocessable("the body, 'inputs', 'data': expected texts.")
    shape = [int(each) for each in tensor["shape"]]
    if shape not in ([len(flat)], [len(flat), 1]):
        raise unprocessable(f"the body, 'inputs', 'shape': {len(flat)} texts have the shape [{len(flat)}].")
    return flat


async def infer(service: Service, call: Call) -> Reply:
    """The tensors that are asked for, by default the answers, and their probabilities where they have some."""
    model, given = _model(service, call), call.body
    texts, there = _texts(given), outputs_of(model)
    asked = {each["name"]: each.get("parameters", {}) for each in given.get("outputs", ())}
    asked = asked or {name: {} for name in there if name != "vector"}
    if strange := sorted(asked.keys() - there):
        raise unprocessable(f"the body, 'outputs': {model.name} writes {', '.join(there)}, and no {strange[0]!r}.")
    made: dict[str, np.ndarray] = {}
    if asked.keys() & {"answer", "probabilities"}:
        found = await service.ask(model, model.answers(PredictOptions("probabilities" in there)), texts)
        made["answer"] = np.array([_plain(each.prediction) for each in found])
        made["probabilities"] = np.array([each.probabilities for each in found])
    if "vector" in asked:
        made["vector"] = np.array(await service.ask(model, model.vectors(), texts))
    binary = given.get("parameters", {}).get("binary_data_output", False)
    outputs, tail = [], b""
    for name, parameters in asked.items():
        datatype, values = there[name][0], made[name]
        told: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(values.shape)}
        if parameters.get("binary_data", binary):
            data = _as_bytes(values, datatype)
            told["parameters"], tail = {"binary_data_size": len(data)}, tail + data
        else:
            told["data"] = values.ravel().tolist()
        outputs.append(told)
    answer = {"model_name": model.name, "model_version": VERSION, "outputs": outputs}
    if "id" in given:
        answer["id"] = given["id"]
    if not any("parameters" in each for each in outputs):
        return reply(answer)
    head = json.dumps(answer).encode()
    return Reply(head + tail, media=BYTES, headers={"Inference-Header-Content-Length": str(len(head))})


def _plain(answer: Any) -> Any:
    """A number as it is, a label or a text as text, several labels as a list in JSON."""
    if isinstance(answer, list):
        return json.dumps(answer, ensure_ascii=False)
    return answer if isinstance(answer, float) else str(answer)


def _as_bytes(values: np.ndarray, datatype: str) -> bytes:
    if datatype == "BYTES":
        texts = [each.encode("utf-8", "replace") for each in values.ravel().tolist()]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return values.astype("<f8" if datatype == "FP64" else "<f4").tobytes()


def _model(service: Service, call: Call) -> ServedModel:
    if call.path.get("version", VERSION) != VERSION:
        raise RefusalError(NOT_FOUND, f"There is one version of a model, {VERSION}; got {call.path['version']!r}.")
    return service.model(call.path["model"])


async def metadata(service: Service, call: Call) -> Reply:
    """What a model reads and writes."""
    model = _model(service, call)
    outputs = [{"name": name, "datatype": kind, "shape": shape} for name, (kind, shape) in outputs_of(model).items()]
    inputs = [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    return reply({"name": model.name, "versions": [VERSION], "platform": f"scansion_{model.family}",
                  "inputs": inputs, "outputs": outputs})


async def server(service: Service, call: Call) -> Reply:
    """What this is."""
    return reply({"name": "scansion", "version": version("scansion"), "extensions": ["binary_tensor_data"]})


async def live(service: Service, call: Call) -> Reply:
    """Whether the process answers."""
    return reply({"live": True})


async def ready(service: Service, call: Call) -> Reply:
    """Whether requests are taken."""
    service.check_ready()
    return reply({"ready": True})


async def model_ready(service: Service, call: Call) -> Reply:
    """Whether a model takes requests."""
    return reply({"name": _model(service, call).name, "ready": True})


ROUTES = (
    Route("GET", "/v2", "What this is.", server, works=False,
          gives=record({"name": TEXT, "version": TEXT, "extensions": some(TEXT)})),
    Route("GET", "/v2/health/live", "Whether the process answers.", live, gives=record({"live": TRUTH}), works=False,
          secret=False),
    Route("GET", "/v2/health/ready", "Whether requests are taken.", ready, gives=record({"ready": TRUTH}),
          secret=False),
    *(
        route for place in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}") for route in (
            Route("GET", place, "What a model reads and writes.", metadata, gives=METADATA),
            Route("GET", f"{place}/ready", "Whether a model takes requests.", model_ready,
                  gives=record({"name": TEXT, "ready": TRUTH})),
            Route("POST", f"{place}/infer", "Answers, probabilities and vectors as tensors.", infer, ASKED, INFERRED,
                  (JSON, BYTES), reads=read_body, accepts=(JSON, BYTES)),
        )
    ),
)
