"""Where a fitted model can run beside scansion itself: a function for each target and kind of model."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from scansion.errors import UsageError, did_you_mean
from scansion.learning.frozen_encoder import FrozenVectors
from scansion.models.ctranslate2_encoder import CTranslate2Encoder
from scansion.models.ctranslate2_translator import CTranslate2Translator
from scansion.models.network_models import FineTunedModel, FrozenEncoderModel
from scansion.models.precision import PRECISIONS, Precision
from scansion.models.translation_model import FittedTranslator
from scansion.processors import cores

Exporter = Callable[[Any, Precision, int], Any]


def ctranslate2_translator(fitted: FittedTranslator, precision: Precision, replicas: int) -> CTranslate2Translator:
    """A translator that CTranslate2 runs."""
    return CTranslate2Translator(fitted, precision, replicas)


def ctranslate2_fine_tuned(model: FineTunedModel, precision: Precision, replicas: int) -> FineTunedModel:
    """The same model with its encoder in CTranslate2."""
    encoder = CTranslate2Encoder(model.network.encoder, precision, replicas)
    return replace(model, network=model.network.with_encoder(encoder))


def ctranslate2_frozen(model: FrozenEncoderModel, precision: Precision, replicas: int) -> FrozenEncoderModel:
    """The same model with its encoder in CTranslate2."""
    encoder = model.vectors.encoder
    vectors = FrozenVectors(replace(encoder, network=CTranslate2Encoder(encoder.network, precision, replicas)))
    vectors.mean, vectors.deviation = model.vectors.mean, model.vectors.deviation
    return replace(model, vectors=vectors)


EXPORTERS: dict[str, dict[type, Exporter]] = {
    "ctranslate2": {
        FittedTranslator: ctranslate2_translator,
        FineTunedModel: ctranslate2_fine_tuned,
        FrozenEncoderModel: ctranslate2_frozen,
    },
}


def exported(model: Any, target: str, precision: Precision, replicas: int | None) -> Any:
    """The model as ``target`` runs it, by ``replicas`` of one thread each, by default one a core.

    UsageError for a model, a target or a precision that does not go.
    """
    if target not in EXPORTERS:
        raise UsageError(f"There is no engine {target!r}{did_you_mean(target, EXPORTERS)}")
    if precision not in PRECISIONS:
        raise UsageError(f"The precision is {' or '.join(PRECISIONS)}; got {precision!r}.")
    exporter = EXPORTERS[target].get(type(model))
    if exporter is None:
        raise UsageError(f"{target} runs fitted translators and pretrained document models; this is neither.")
    return exporter(model, precision, replicas or cores())
