"""``scansion.export``: a fitted model inside a faster program."""

import copy
from dataclasses import replace

from scansion.engines.ctranslate2 import PRECISIONS, Precision
from scansion.engines.ctranslate2_encoder import CTranslate2Encoder
from scansion.engines.ctranslate2_translator import CTranslate2Translator
from scansion.errors import UsageError, did_you_mean
from scansion.learning.frozen import FrozenVectors
from scansion.learning.parallel import cores
from scansion.learning.reader import with_network
from scansion.tasks.documents import DocumentClassifier, DocumentRegressor
from scansion.tasks.models import FrozenModel, Model, TunedModel
from scansion.tasks.translation import Translator

ENGINES = ("ctranslate2",)


def export(
    model: Translator | DocumentClassifier | DocumentRegressor, engine: str, precision: Precision = "float32",
    replicas: int | None = None,
) -> CTranslate2Translator | DocumentClassifier | DocumentRegressor:
    """The model as ``engine`` runs it.

    Of a translator it has ``predict`` too, and ``save`` for the folder that engine loads; of a pretrained document
    model it is the same estimator with its encoder exchanged.  ``precision`` is ``float32`` or ``int8``; ``replicas``
    work side by side with one thread each, by default one a core.  UsageError for a model, an engine or a precision
    that does not go, MissingExtraError if it is not installed.
    """
    if engine not in ENGINES:
        raise UsageError(f"There is no engine {engine!r}{did_you_mean(engine, ENGINES)}")
    if precision not in PRECISIONS:
        raise UsageError(f"The precision is {' or '.join(PRECISIONS)}; got {precision!r}.")
    replicas = replicas or cores()
    if isinstance(model, Translator):
        return CTranslate2Translator(model.fitted_writer(), model.subwords_, precision, replicas)
    found = copy.copy(model)
    found.model_ = _exported(getattr(model, "model_", None), engine, precision, replicas)
    return found


def _exported(model: Model | None, engine: str, precision: Precision, replicas: int) -> FrozenModel | TunedModel:
    if isinstance(model, TunedModel):
        return replace(model, reader=with_network(
            model.reader, CTranslate2Encoder(model.reader.network, precision, replicas)
        ))
    if isinstance(model, FrozenModel):
        encoder = model.family.encoder
        family = FrozenVectors(replace(encoder, network=CTranslate2Encoder(encoder.network, precision, replicas)))
        family.mean, family.deviation = model.family.mean, model.family.deviation
        return replace(model, family=family)
    raise UsageError(f"{engine} runs fitted translators and pretrained document models; this is neither.")
