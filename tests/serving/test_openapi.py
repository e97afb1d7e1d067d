"""The OpenAPI document, and schemathesis, which asks every route for what the document allows and what it does not."""

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode, checks

from scansion.serving.application import grouped
from serving_process import serving

EXAMPLES = 4
CHECKS = (
    checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_schema_conformance, checks.negative_data_rejection, checks.unsupported_method,
)


@pytest.fixture(scope="module")
def api(folders, warm_processes):
    served = {name: folders[name] for name in ("bag", "lstm", "writer", "en-de")}
    with serving(served, "--max-tokens", 400, "--max-texts", 20) as (address, _):
        yield schemathesis.openapi.from_url(f"{address}/openapi.json")


GROUPS = grouped()
CASES = [(GenerationMode.POSITIVE, each[0]) for each in GROUPS]
CASES += [(GenerationMode.NEGATIVE, each[0]) for each in GROUPS if each[0].takes is not None]
MODELS = {"/v1/completions": "writer", "/explain": "bag", "/look": "bag"}
"""Of the routes that not every model answers."""


@pytest.mark.parametrize(
    ("mode", "route"), CASES, ids=lambda value: getattr(value, "value", None) or f"{value.method} {value.path}"
)
def test_every_route_answers_as_its_document_says(api, mode, route):
    operation, model = api[route.path][route.method], MODELS.get(route.path, "lstm")

    @hypothesis.settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode), hypothesis.strategies.booleans())
    def asked(case, there):
        if there and mode is GenerationMode.POSITIVE:
            case.path_parameters |= {"model": model} if "model" in case.path_parameters else {}
            case.path_parameters |= {"version": "1"} if "version" in case.path_parameters else {}
            if isinstance(case.body, dict) and route.path not in ("/translate", "/detect") and not case.path_parameters:
                case.body |= {} if route.path == "/embed" or "inputs" in case.body else {"model": model}
        if isinstance(case.body, dict) and isinstance(case.body.get("max_tokens"), int):
            case.body["max_tokens"] = min(case.body["max_tokens"], 20)
        case.call_and_validate(checks=CHECKS, timeout=20)

    asked()
