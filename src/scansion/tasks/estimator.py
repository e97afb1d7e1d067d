"""What scikit-learn expects of every estimator, without importing scikit-learn.

The constructor stores its arguments untouched, ``get_params`` gives them back, ``set_params`` sets them.  Tags and
metadata routing come from :mod:`scansion.tasks.scikit_learn`, which is imported when scikit-learn asks for them.
"""

from inspect import signature
from typing import Any, ClassVar, Self

import numpy as np

from scansion.deferred import deferred
from scansion.errors import UsageError, did_you_mean

tags_of = deferred("scansion.tasks.scikit_learn", "tags_of")
routing_of = deferred("scansion.tasks.scikit_learn", "routing_of")
request_of = deferred("scansion.tasks.scikit_learn", "request_of")
html_of = deferred("scansion.tasks.scikit_learn", "html_of")

AS_IT_IS = "$UNCHANGED$"
"""A request that stays as it is; the word is scikit-learn's."""


class Estimator:
    """The protocol of scikit-learn's estimators."""

    estimator_type: ClassVar[str | None] = None
    """``classifier`` or ``regressor``."""
    fitted_: Any

    @property
    def feature_names_in_(self) -> np.ndarray:
        """The columns that the texts stood in, (columns,); AttributeError if none had a name or nothing is learned."""
        if not self.fitted_.columns.text:
            raise AttributeError("The model was fitted on texts whose columns had no names.")
        return np.array(self.fitted_.columns.text, object)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments, by name."""
        return {name: getattr(self, name) for name in sorted(signature(type(self)).parameters)}

    def set_params(self, **params: Any) -> Self:
        """Set arguments of the constructor; UsageError for one that it has not."""
        known = self.get_params(deep=False)
        for name, value in params.items():
            if name not in known:
                raise UsageError(f"{type(self).__name__} has no parameter {name!r}{did_you_mean(name, known)}")
            setattr(self, name, value)
        return self

    def get_metadata_routing(self) -> Any:
        """What scikit-learn's metadata routing passes on to each method."""
        return routing_of(self)

    def __repr__(self) -> str:
        defaults = {name: each.default for name, each in signature(type(self)).parameters.items()}
        given = {name: value for name, value in self.get_params(deep=False).items() if value is not defaults[name]}
        changed = ", ".join(f"{name}={value!r}" for name, value in given.items() if repr(value) != repr(defaults[name]))
        return f"{type(self).__name__}({changed})"

    def _repr_html_(self) -> str:
        return html_of(self)

    def __sklearn_tags__(self) -> Any:
        return tags_of(self)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "fitted_")


class WeightedEstimator(Estimator):
    """An estimator whose ``fit`` and ``score`` take weights, and ``fit`` texts without answers."""

    def set_fit_request(
        self, *, sample_weight: bool | str | None = AS_IT_IS, unlabelled: bool | str | None = AS_IT_IS
    ) -> Self:
        """Whether scikit-learn's metadata routing passes them to ``fit``."""
        return self._request("fit", {"sample_weight": sample_weight, "unlabelled": unlabelled})

    def set_score_request(self, *, sample_weight: bool | str | None = AS_IT_IS) -> Self:
        """Whether scikit-learn's metadata routing passes them to ``score``."""
        return self._request("score", {"sample_weight": sample_weight})

    def _request(self, method: str, requests: dict[str, bool | str | None]) -> Self:
        request_of(self, method, {name: each for name, each in requests.items() if each != AS_IT_IS})
        return self
