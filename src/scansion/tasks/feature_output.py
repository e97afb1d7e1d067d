"""Names of the features that ``transform`` gives, and what it gives them in, by scikit-learn's protocol."""

import sys
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse

from scansion.errors import MissingExtraError, UsageError, did_you_mean
from scansion.families.catalogue import name_of
from scansion.models.document_models import FittedDocuments

Features = Any
"""An array, or a sparse matrix."""


def _counted(fitted: FittedDocuments) -> list[str]:
    return fitted.model.vectors.names()  # type: ignore[attr-defined]


def _numbered(fitted: FittedDocuments) -> list[str]:
    return [f"{name_of(fitted.family)}{number}" for number in range(fitted.model.features([]).shape[1])]


NAMES: dict[str, Callable[[FittedDocuments], list[str]]] = {"counted": _counted}
"""What the features of a kind of model are called, where they are more than numbered."""


class FeatureOutput:
    """An estimator's ``get_feature_names_out`` and ``set_output``."""

    check_fitted: Callable[[], Any]
    _sklearn_output_config: dict[str, str]
    """Where scikit-learn keeps it too, and its ``clone`` copies it from."""

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """What each column of :meth:`transform` counts, (D,): words, ``one two`` for n-grams, `` ing`` for letters.

        Character n-grams begin with a blank, which no word holds; learned vectors are numbered, ``lstm0``.
        ``input_features`` is there for pipelines, and changes nothing.
        """
        fitted = self.check_fitted()
        return np.array(NAMES.get(fitted.model.kind, _numbered)(fitted), object)

    def set_output(self, *, transform: str | None = None) -> Self:
        """What :meth:`transform` gives: ``default`` or ``pandas``; None leaves it as it is.

        Not polars, which has no sparse columns.
        """
        if transform is not None:
            if transform not in OUTPUTS:
                raise UsageError(f"transform is one of {', '.join(OUTPUTS)}; got {transform!r}"
                                 f"{did_you_mean(str(transform), OUTPUTS)}")
            self._sklearn_output_config = {"transform": transform}
        return self


def contained(estimator: Any, features: Features, texts: Any) -> Any:
    """Features (N, D) of texts in what :meth:`FeatureOutput.set_output`, or else scikit-learn's settings, ask for."""
    wanted = vars(estimator).get("_sklearn_output_config", {}).get("transform")
    if wanted is None:  # who has set it for all estimators has imported scikit-learn
        wanted = sys.modules["sklearn"].get_config()["transform_output"] if "sklearn" in sys.modules else "default"
    if wanted not in OUTPUTS:
        raise UsageError(f"transform gives {' or '.join(OUTPUTS)}, and scikit-learn is set to {wanted!r}. "
                         "Ask for another: set_output(transform='default').")
    return OUTPUTS[wanted](features, estimator, texts)


def _as_they_are(features: Features, estimator: FeatureOutput, texts: Any) -> Features:
    return features


def _in_pandas(features: Features, estimator: FeatureOutput, texts: Any) -> Any:
    """Sparse columns stay sparse; rows keep the index of the texts."""
    try:
        import pandas
    except ImportError as error:
        raise MissingExtraError("transform as pandas needs pandas: pip install 'scansion[frame]'.") from error
    made = pandas.DataFrame.sparse.from_spmatrix if issparse(features) else pandas.DataFrame
    index = texts.index if isinstance(texts, pandas.DataFrame | pandas.Series) else None
    return made(features, columns=estimator.get_feature_names_out(), index=index)


OUTPUTS: dict[str, Callable[[Features, Any, Any], Any]] = {"default": _as_they_are, "pandas": _in_pandas}
