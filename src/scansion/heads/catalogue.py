"""Every head by the kind of answer it gives."""

from scansion.heads.multiclass import MulticlassHead
from scansion.heads.multilabel import MultilabelHead
from scansion.heads.regression import RegressionHead

Head = MulticlassHead | MultilabelHead | RegressionHead

HEADS: dict[str, type[Head]] = {
    "multiclass": MulticlassHead,
    "multilabel": MultilabelHead,
    "regression": RegressionHead,
}
