"""What is asked of document models about one text: why they answered, and what they do with it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scansion.deferred import deferred
from scansion.errors import UsageError, did_you_mean, shown
from scansion.inspection.explanation import Explanation
from scansion.models.document_models import FittedDocuments
from scansion.tasks.document_estimator import DocumentEstimator
from scansion.tasks.task import Looked, LookOptions

if TYPE_CHECKING:
    from scansion.viewer.look import ModelLook

look_at_documents = deferred("scansion.inspection.document_page", "look_at_documents")
SERVED = {"frozen": deferred("scansion.models.network_models", "keeping_nothing")}
"""Models of a kind that keep what they read, as they are when they keep nothing."""
WORDS_TOLD = 5


def explained(estimator: DocumentEstimator, text: str, answer: str | None) -> Explanation:
    """What each token adds to the score of an answer; UsageError for a label there is not."""
    return estimator.explain(text, _label(estimator.check_fitted(), answer))


def served(estimator: DocumentEstimator) -> DocumentEstimator:
    """The same, without a cache on disk: whose texts come through a network, and how many, is not known."""
    fitted = estimator.check_fitted()
    keeping = SERVED.get(fitted.model.kind)
    return estimator if keeping is None else estimator.from_fitted(replace(fitted, model=keeping(fitted.model)))


def look(estimators: Sequence[DocumentEstimator], text: str, options: LookOptions) -> Looked:
    """What models do with one text."""
    fitted = [estimator.check_fitted() for estimator in estimators]
    found = look_at_documents(fitted, text, _label(fitted[0], options.answer), options.window)
    told = {"text": text, "words": list(found.words), "models": [_told(each) for each in found.models]}
    return Looked(found, told, tuple(_most(each, found.words) for each in found.models))


def _told(model: "ModelLook") -> dict[str, Any]:
    effects = None if model.attention is None else model.attention.effects
    return {
        "family": model.name, "decision": model.decision, "answer": model.answer, "probability": model.probability,
        "score": model.score, "base": model.base, "contributions": model.contributions.tolist(),
        "completeness_error": model.completeness_error,
        "removals": [[each.first, each.last, each.effect] for each in model.removals],
        "head_effects": None if effects is None else effects.tolist(),
    }


def _most(model: "ModelLook", words: tuple[str, ...]) -> str:
    """``lstm  positive 0.970   moving +1.2  plot -0.4``: the words that add and take away most."""
    order = sorted(range(len(words)), key=lambda i: -abs(model.contributions[i]))[:WORDS_TOLD]
    most = "  ".join(f"{words[i]} {model.contributions[i]:+.2f}" for i in order)
    value = model.score if model.probability is None else round(model.probability, 4)
    return f"{model.name}\t{model.answer}\t{value:.6g}\t{most}"


def _label(fitted: FittedDocuments, answer: str | None) -> Any:
    """The label that is written so; UsageError if there is none."""
    labels = {str(label): label for label in fitted.head.labels}
    if answer is None or answer in labels:
        return None if answer is None else labels[answer]
    if not labels:
        raise UsageError("The first model answers with numbers. Leave the answer out.")
    raise UsageError(f"There is no label {shown(answer)}{did_you_mean(answer, labels)}")
