"""``scansion.export``: a fitted model inside a faster program."""

from scansion.engines.ctranslate2 import CTranslate2, Precision
from scansion.errors import UsageError, did_you_mean
from scansion.learning.parallel import cores
from scansion.tasks.translation import Translator

ENGINES = ("ctranslate2",)


def export(
    model: Translator, engine: str, precision: Precision = "float32", replicas: int | None = None
) -> CTranslate2:
    """The model as ``engine`` runs it, which has ``predict`` too, and ``save`` for the folder that engine loads.

    ``precision`` is ``float32`` or ``int8``; ``replicas`` work side by side with one thread each, by default one a
    core.  UsageError for a model or an engine that does not go, MissingExtraError if it is not installed.
    """
    if engine not in ENGINES:
        raise UsageError(f"There is no engine {engine!r}{did_you_mean(engine, ENGINES)}")
    if not isinstance(model, Translator):
        raise UsageError(f"{engine} runs translators; got a {type(model).__name__}.")
    return CTranslate2(model.fitted_writer(), model.subwords_, precision, replicas or cores())
