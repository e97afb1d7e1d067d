"""An estimator as scikit-learn sees it: its twin, made of scikit-learn's own base classes.

Tags, metadata routing and the diagram of a notebook are of scikit-learn's own types, so whoever asks for them has
imported it.  An estimator that only answers never does: the import takes longer than everything else together.
"""

from functools import cache
from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

MIXINS: dict[str | None, tuple[type, ...]] = {
    "classifier": (ClassifierMixin,), "regressor": (RegressorMixin,), None: (),
}
REQUESTS = "_metadata_request"  # where scikit-learn keeps them, and its clone looks for them
SHARED = ("__init__", "fit", "score", "__sklearn_is_fitted__")


@cache
def twin_class(kind: Any) -> Any:
    """A class of scikit-learn with the constructor, the ``fit`` and the ``score`` of an estimator's class."""
    bases = (*MIXINS[kind.estimator_type], BaseEstimator)
    return type(kind.__name__, bases, {name: getattr(kind, name) for name in SHARED if hasattr(kind, name)})


def twin(estimator: Any) -> Any:
    """One with the same arguments, requests and learned attributes; no constructor runs."""
    kind = twin_class(estimator.__class__)
    made = kind.__new__(kind)
    vars(made).update(vars(estimator))
    return made


def tags_of(estimator: Any) -> Any:
    """``sklearn.utils.Tags``."""
    return twin(estimator).__sklearn_tags__()


def routing_of(estimator: Any) -> Any:
    """``sklearn.utils.metadata_routing.MetadataRequest``."""
    return twin(estimator).get_metadata_routing()


def request_of(estimator: Any, method: str, requests: dict[str, Any]) -> None:
    """Keep in the estimator what of its own arguments a method asks for."""
    made = getattr(twin(estimator), f"set_{method}_request")(**requests)
    setattr(estimator, REQUESTS, getattr(made, REQUESTS))


def html_of(estimator: Any) -> str:
    """The diagram that notebooks show."""
    return twin(estimator)._repr_html_()
