"""Every head by the kind of answer it gives."""

from scansion.heads.label_sets import LabelSetsHead
from scansion.heads.labels import LabelsHead
from scansion.heads.numbers import NumbersHead

Head = LabelsHead | LabelSetsHead | NumbersHead

HEADS: dict[str, type[Head]] = {
    "multiclass": LabelsHead,
    "multilabel": LabelSetsHead,
    "regression": NumbersHead,
}
