"""Every task by name, and what the package offers for models of any task. A new task is a file here and a line."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scansion.deferred import DeferredTable, deferred
from scansion.errors import UsageError, did_you_mean
from scansion.models.precision import Precision
from scansion.storage.folders import Folder, open_folder
from scansion.storage.limits import CONFIG, MANIFEST
from scansion.tasks.task import Dataset, FittedTask, LookOptions, ReadOptions, Task
from scansion.viewer.notebook import Page

TASKS = DeferredTable({
    "classify": ("scansion.tasks.documents", "CLASSIFY"),
    "regress": ("scansion.tasks.documents", "REGRESS"),
    "language": ("scansion.tasks.language", "LANGUAGE"),
    "translate": ("scansion.tasks.translation", "TRANSLATE"),
    "encoder": ("scansion.tasks.encoder", "ENCODER"),
})
"""Each is imported when it is first asked for: what answers with counted features needs no torch."""

LANGUAGE = "language"
task_of = deferred("scansion.tasks.document_scoring", "task_of")


def task_named(name: str) -> Task:
    """UsageError for a task there is not."""
    if name not in TASKS:
        raise UsageError(f"There is no task {name!r}{did_you_mean(name, TASKS)}")
    return TASKS[name]


def task_for(data: Sequence[str], name: str | None) -> Task:
    """The task of the given name, or the first that takes so many files; reading them may decide for another."""
    if name is not None:
        return task_named(name)
    found = next((task for task in TASKS.values() if task.takes(data)), None)
    if found is None:
        raise UsageError(f"Data are one table, two files of parallel text, or files of plain text; got {len(data)} "
                         "files. Say --task.")
    return found


def read_dataset(task: Task, data: Sequence[str], options: ReadOptions) -> tuple[Task, Dataset]:
    """The data, and the task that they set."""
    task.check_files(data)
    found = task.read(data, options)
    return TASKS[found.task], found


def compared_task(name: str | None, targets: Any) -> Task:
    """The task of the given name, or what targets look like. UsageError for one that is not compared."""
    task = TASKS[task_of(targets)] if name is None else task_named(name)
    if task.compared is None:
        raise UsageError(f"There is nothing to compare for the task {task.name!r}.")
    return task


def fitted_task(model: Any) -> FittedTask:
    """What can be asked of a model; UsageError for what is none."""
    task = TASKS.get(getattr(model, "task", ""))
    if task is None or task.fitted is None:
        raise UsageError(f"Expected a fitted model of scansion, got {type(model).__name__}.")
    return task.fitted


def load(folder: str | Path) -> Any:
    """The estimator in a model folder. Every byte is verified before any is used, and no code in it is run.

    StorageError or UnsafeFolderError names the file at fault.
    """
    return opened(folder)[2]()


def opened(place: str | Path) -> tuple[Task, FittedTask, Callable[[], Any]]:
    """The task of a model, and what restores its estimator: from a model folder, or from what others have written.

    That is an ARPA file, or a folder of Hugging Face with a GPT-2 or Llama.
    """
    for is_one, restore in WRITTEN_BY_OTHERS:
        if is_one(Path(place)):
            task = TASKS[LANGUAGE]
            return task, task.fitted, partial(restore, place)
    folder = open_folder(place)
    task, fitted = stored_task(folder)
    return task, fitted, partial(fitted.load, folder)


from_arpa = deferred("scansion.tasks.language", "from_arpa")
from_pretrained = deferred("scansion.tasks.language", "from_pretrained")
WRITTEN_BY_OTHERS: tuple[tuple[Callable[[Path], bool], Callable[..., Any]], ...] = (
    (lambda path: path.name.removesuffix(".gz").endswith(".arpa") and path.is_file(), from_arpa),
    (lambda path: (path / CONFIG).is_file() and not (path / MANIFEST).exists(), from_pretrained),
)
"""What is no model folder and can be asked all the same."""


def stored_task(folder: Folder) -> tuple[Task, FittedTask]:
    """The task of the model in a folder, which is not restored yet. UsageError for a task there is not."""
    task = TASKS.get(folder.manifest.task)
    if task is None or task.fitted is None:
        raise UsageError(f"{folder.path} is of the task {folder.manifest.task!r}, which this version does not know.")
    return task, task.fitted


def export(model: Any, engine: str, precision: Precision = "float32", replicas: int | None = None) -> Any:
    """The model as ``engine`` runs it.

    Of a translator it has ``predict`` too, and ``save`` for the folder that engine loads; of a pretrained document
    model it is the same estimator with its encoder exchanged.  ``precision`` is ``float32`` or ``int8``; ``replicas``
    work side by side with one thread each, by default one a core.  UsageError for a model, an engine or a precision
    that does not go, MissingExtraError if it is not installed.
    """
    return fitted_task(model).export(model, engine, precision, replicas)


def look(models: Any, text: str, answer: Any = None, window: int = 1) -> Page:
    """What fitted models of one task do with ``text``, side by side.

    ``answer`` is the label whose score is looked at, by default the one that the first model gives.  Of a text that is
    longer than a model reads at a time, attention is that of one ``window``, the first unless given.
    UsageError for a label or window there is not, NotFittedError for a model that has learned nothing.
    """
    several = list(models) if isinstance(models, Sequence) else [models]
    if not several:
        raise UsageError("There is no model to look at. Give one, or several.")
    first = fitted_task(several[0])
    if any(fitted_task(each).look is not first.look for each in several):
        raise UsageError("These models answer different kinds of questions. Look at them one by one.")
    for each in several:
        TASKS[each.task].check_options("look", {"answer": answer, "window": None if window == 1 else window})
    return first.look(several, text, LookOptions(None if answer is None else str(answer), None, window)).page
