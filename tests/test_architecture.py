"""The rooms of the package and who may enter which, read from the syntax trees of ``src``.

A rule is a function from a module to its breaches. Each has one test that runs it over the package, and at the end a
table of small bad modules proves that each can fail.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]

# The rooms, simplest first. A room may import from the lines above its own, and from nowhere else.
ROOMS = (
    ("deferred", "errors", "processors", "randomness"),
    ("memory", "options", "server_limits", "spill"),
    ("text", "measures", "storage", "layers", "viewer"),
    ("families", "heads"),
    ("learning", "decoding"),
    ("models",),
    ("inspection", "exporting"),
    ("tasks",),
    ("comparison",),
    ("claims", "serving", "testing"),
    ("cli",),
)
LINE = {room: number for number, line in enumerate(ROOMS) for room in line}

# `scansion --help` must answer at once, so these come without torch, and cli asks for the others inside its verbs.
QUICK_TO_IMPORT = {"errors", "text", "measures", "storage", "viewer", "cli"}
NEEDS_TORCH = LINE.keys() - QUICK_TO_IMPORT - {
    "deferred", "memory", "options", "processors", "randomness", "server_limits", "spill"
}

FAMILY_LINES, FILE_LINES, FUNCTION_LINES = 220, 400, 70
UNDECIDED_NAMES = {"util", "utils", "common", "helper", "helpers", "base", "manager", "managers", "misc"}
RUNS_CODE_ON_LOAD = {"pickle", "cPickle", "shelve", "marshal", "dill", "cloudpickle", "joblib", "yaml"}

Breaches = Iterator[tuple[int, str]]  # line, what is wrong there
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Import:
    """One import: ``module`` as written (``from module import names``) and the function it hides in, if any."""

    line: int
    module: str
    names: tuple[str, ...] = ()
    level: int = 0
    function: str | None = None
    deferred: bool = False
    """Whether it is named by its literal, and waits until it is first needed; see ``scansion/deferred.py``."""

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms of the package it enters."""
        if self.top != "scansion":
            return ()
        return self.names if self.module == "scansion" else (self.module.split(".")[1],)


@dataclass(frozen=True)
class Module:
    """A file of the package: its path below ``src`` and its text."""

    path: PurePosixPath
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, str(self.path))

    @property
    def room(self) -> str | None:
        """The room it stands in; None for the front door, ``scansion/__init__.py`` and ``scansion/__main__.py``."""
        inside = self.path.with_suffix("").parts[1]
        return None if inside in {"__init__", "__main__"} else inside

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(found_imports(self.tree, None))


def found_imports(node: ast.AST, function: str | None) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for name in child.names:
                yield Import(child.lineno, name.name, function=function)
        elif isinstance(child, ast.ImportFrom):
            names = tuple(name.name for name in child.names)
            yield Import(child.lineno, child.module or "", names, child.level, function)
        elif isinstance(child, ast.Call) and ast.unparse(child.func).split(".")[-1] in {"import_module", "__import__"}:
            named = child.args[0].value if child.args and isinstance(child.args[0], ast.Constant) else "?"
            yield Import(child.lineno, str(named), function=function or "the module's own call of import_module")
        elif isinstance(child, ast.Call) and ast.unparse(child.func) in {"deferred", "DeferredTable"}:
            yield from deferred_imports(child)
        yield from found_imports(child, child.name if isinstance(child, FUNCTIONS) else function)


def deferred_imports(call: ast.Call) -> Iterator[Import]:
    """``deferred("module", "name")``, and the pairs of such literals in ``DeferredTable({...})``."""
    listed = [value for node in ast.walk(call) if isinstance(node, ast.Dict) for value in node.values]
    pairs = [call.args] if ast.unparse(call.func) == "deferred" else [getattr(each, "elts", []) for each in listed]
    for pair in pairs:
        literal = len(pair) == 2 and all(isinstance(each, ast.Constant) for each in pair)
        module, name = (str(each.value) for each in pair) if literal else ("?", "?")
        yield Import(call.lineno, module, (name,), deferred=True)


@cache
def modules() -> list[Module]:
    paths = sorted((ROOT / "src/scansion").rglob("*.py"))
    return [Module(PurePosixPath(path.relative_to(ROOT / "src")), path.read_text("utf-8")) for path in paths]


def breaches(rule: Callable[[Module], Breaches]) -> list[str]:
    return [f"src/{module.path}:{line}: {wrong}" for module in modules() for line, wrong in rule(module)]


def declared(section: list[str]) -> set[str]:
    """The importable names of the distributions a list of requirements asks for."""
    names = {re.match(r"[\w.-]+", requirement)[0].lower().replace("-", "_") for requirement in section}
    return {"sklearn" if name == "scikit_learn" else name for name in names} - {"scansion"}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CORE = declared(PROJECT["dependencies"])
GROUPS = PROJECT["optional-dependencies"]
EXTRAS = declared([need for name in GROUPS if name != "test" for need in GROUPS[name]])


# --- the rules ------------------------------------------------------------------------------------------------------


def stands_nowhere(module: Module) -> Breaches:
    if module.room is not None and module.room not in LINE:
        yield 1, f"{module.room!r} is no room of the list; put the file into a room, or the room into ROOMS"


def imports_against_the_order(module: Module) -> Breaches:
    own = LINE.get(module.room, len(ROOMS))
    for found in module.imports:
        if found.level:
            yield found.line, f"imports are absolute: write scansion.{module.room}.{found.module}"
        for room in found.rooms:
            if room != module.room and LINE.get(room, -1) >= own:
                yield found.line, f"{module.room} may not import from {room}"


def imports_its_own_package(module: Module) -> Breaches:
    package = ".".join(module.path.parent.parts)
    for found in module.imports:
        if found.module and f"{package}.".startswith(f"{found.module}."):
            yield found.line, f"names {found.module}'s __init__, which it is part of; name the module that defines it"


def hides_an_import(module: Module) -> Breaches:
    front_door = str(module.path) == "scansion/__init__.py"
    for found in module.imports:
        slow = found.top == "torch" or (found.rooms and NEEDS_TORCH.issuperset(found.rooms))
        one_verb = str(module.path) == "scansion/cli/main.py" and (found.function == "_verb" or found.rooms == ("cli",))
        in_the_command = (module.room == "cli" and slow) or one_verb
        lazy_public_name = front_door and found.function == "__getattr__"
        the_one_place = str(module.path) == "scansion/deferred.py"
        if found.deferred and found.module == "?":
            yield found.line, "what is deferred is named by two literals, a module and a name in it"
        if found.function and not (found.top in EXTRAS or in_the_command or lazy_public_name or the_one_place):
            yield found.line, f"{found.function} hides an import of {found.module}; put it at the top of the file"


def imports_torch_at_start_up(module: Module) -> Breaches:
    for found in module.imports:
        slow = found.top == "torch" or found.module == "safetensors.torch" or NEEDS_TORCH.intersection(found.rooms)
        at_once = found.function is None and not found.deferred and not only_for_types(module, found)
        if slow and module.room in QUICK_TO_IMPORT and at_once:
            yield found.line, f"{found.module} brings torch, and `scansion --help` would wait for it"


def imports_what_is_not_declared(module: Module) -> Breaches:
    for found in module.imports:
        if found.top in RUNS_CODE_ON_LOAD:
            yield found.line, f"{found.top} runs code when it loads a file"
        elif found.level or found.top in {"scansion", "?"} or found.top in sys.stdlib_module_names | CORE:
            continue
        elif found.top not in EXTRAS:
            yield found.line, f"{found.top} is not among the dependencies in pyproject.toml"
        elif found.function is None and not only_for_types(module, found):
            yield found.line, f"{found.top} is an extra; import it in the function that needs it"


def asserts(module: Module) -> Breaches:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assert):
            yield node.lineno, "assert vanishes under python -O; raise one of scansion.errors"


def takes_any_keyword(module: Module) -> Breaches:
    for node in ast.walk(module.tree):
        if not isinstance(node, (*FUNCTIONS, ast.Lambda)) or not node.args.kwarg:
            continue
        # scikit-learn's convention fixes the signature of set_params; P.kwargs are the arguments of a named signature
        passed_on = node.args.kwarg.annotation is not None and ast.unparse(node.args.kwarg.annotation) == "P.kwargs"
        if getattr(node, "name", "") != "set_params" and not passed_on:
            yield node.lineno, f"**{node.args.kwarg.arg}: name the arguments"


# What decides between kinds of question or of family stands in their tables and in what they declare.
KINDS = {
    "Translator", "DocumentClassifier", "DocumentRegressor", "RNN", "LSTM", "GRU", "Transformer", "Pretrained", "Bert",
    "SparseLinearModel", "EncoderModel", "FrozenEncoderModel", "FineTunedModel", "FittedDocuments", "FittedTranslator",
}


def asks_a_value_what_it_is(module: Module) -> Breaches:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            named = {each.id for each in ast.walk(node.args[1]) if isinstance(each, ast.Name)}
            if strays := sorted(named & KINDS):
                yield node.lineno, f"isinstance(…, {strays[0]}): let it declare what is asked, or look it up in a table"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "hasattr" and "translate" in ast.unparse(node):
            yield node.lineno, "hasattr(…, 'translate'): ask the task"
        elif (
            isinstance(node, ast.Compare)
            and ast.unparse(node.left).split(".")[-1] == "task"
            and any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in node.comparators)
        ):
            yield node.lineno, "a task compared with a text: ask the task"


def acts_when_imported(module: Module) -> Breaches:
    yield from actions(module.tree.body)


def actions(body: list[ast.stmt]) -> Breaches:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from actions(node.body)
        elif isinstance(node, ast.If) and is_guard(node.test) and not node.orelse:
            continue
        elif not is_declaration(node):
            yield node.lineno, f"importing the module does something: {ast.unparse(node).splitlines()[0]}"


def is_guard(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"}


def is_declaration(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [name for target in targets for name in (target.elts if isinstance(target, ast.Tuple) else [target])]
        return all(isinstance(name, ast.Name) for name in names)
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    type_alias = type(node).__name__ == "TypeAlias"  # a statement since Python 3.12
    return text or type_alias or isinstance(node, (ast.Import, ast.ImportFrom, *FUNCTIONS, ast.Pass))


def only_for_types(module: Module, found: Import) -> bool:
    blocks = [node for node in module.tree.body if isinstance(node, ast.If) and is_guard(node.test)]
    return any(block.lineno <= found.line <= block.end_lineno for block in blocks)


# Rooms that are used by their name, ``scansion.claims.run("order")``; their __init__.py names what they offer.
USED_BY_NAME = {"scansion/claims/__init__.py"}


def says_more_than_a_docstring(module: Module) -> Breaches:
    if module.path.name == "__init__.py" and module.room is not None and str(module.path) not in USED_BY_NAME:
        for node in module.tree.body[1:] if ast.get_docstring(module.tree) else module.tree.body:
            yield node.lineno, "a room's __init__.py holds its docstring and nothing else"


def is_too_long_a_file(module: Module) -> Breaches:
    lines, longest = len(module.source.splitlines()), FAMILY_LINES if module.room == "families" else FILE_LINES
    if lines > longest:
        yield longest, f"{lines} lines; a file here reads in one sitting, {longest}"


def has_too_long_a_function(module: Module) -> Breaches:
    for node in ast.walk(module.tree):
        if isinstance(node, FUNCTIONS) and node.end_lineno - node.lineno >= FUNCTION_LINES:
            lines = node.end_lineno - node.lineno + 1
            yield node.lineno, f"{node.name} has {lines} lines; a function fits on a screen, {FUNCTION_LINES}"


def has_an_undecided_name(module: Module) -> Breaches:
    for part in module.path.with_suffix("").parts:
        for word in UNDECIDED_NAMES.intersection(part.split("_")):
            yield 1, f"{part}: {word!r} says that nobody decided what the file is for"


def is_undocumented(module: Module) -> Breaches:
    public = [node for node in module.tree.body if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name[0] != "_"]
    for node in [module.tree, *public]:
        if not ast.get_docstring(node):
            yield getattr(node, "lineno", 1), f"{getattr(node, 'name', 'the module')} has no docstring"


# --- the package keeps them -----------------------------------------------------------------------------------------


def test_every_module_stands_in_a_room():
    assert not breaches(stands_nowhere)


def test_imports_go_one_way_and_rooms_on_one_line_do_not_meet():
    assert not breaches(imports_against_the_order)


def test_no_module_imports_its_own_package():
    assert not breaches(imports_its_own_package)


def test_no_import_hides_in_a_function():
    assert not breaches(hides_an_import)


def test_the_command_starts_without_torch():
    assert not breaches(imports_torch_at_start_up)


def test_the_package_imports_only_what_it_declares_and_nothing_that_runs_code_on_load():
    assert not breaches(imports_what_is_not_declared)


def test_nothing_is_asserted_outside_the_tests():
    assert not breaches(asserts)


def test_every_argument_has_a_name():
    assert not breaches(takes_any_keyword)


def test_no_value_is_asked_what_kind_it_is():
    assert not breaches(asks_a_value_what_it_is)


def test_importing_a_module_does_nothing():
    assert not breaches(acts_when_imported)


def test_a_rooms_init_holds_its_docstring_and_nothing_else():
    assert not breaches(says_more_than_a_docstring)


def test_a_file_reads_in_one_sitting():
    assert not breaches(is_too_long_a_file)


def test_a_function_fits_on_a_screen():
    assert not breaches(has_too_long_a_function)


def test_every_file_name_says_what_the_file_is_for():
    assert not breaches(has_an_undecided_name)


def test_what_is_public_has_a_docstring():
    assert not breaches(is_undocumented)


def imported_modules(module: Module) -> Iterator[str]:
    """The modules of the package that a module names in an import, those for types only included."""
    for found in module.imports:
        if found.top == "scansion":
            yield found.module
            yield from (f"{found.module}.{name}" for name in found.names)


def circles(named: dict[str, set[str]]) -> list[str]:
    """Modules that import each other, over however many others."""
    done: set[str] = set()
    found: list[str] = []

    def walk(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            found.append(" -> ".join((*path[path.index(name) :], name)))
        elif name not in done:
            for other in sorted(named[name]):
                walk(other, (*path, name))
            done.add(name)

    for name in sorted(named):
        walk(name, ())
    return found


def test_no_modules_import_each_other_not_even_for_types():
    everything = {".".join(module.path.with_suffix("").parts): module for module in modules()}
    named = {name: set(imported_modules(module)) & everything.keys() for name, module in everything.items()}
    assert not circles(named)
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a -> b -> c -> a"]


# What loads and asks a model whose features are counted.
COUNTED_PATH = (
    "scansion.cli.main", "scansion.cli.predict", "scansion.cli.evaluate", "scansion.tasks.catalogue",
    "scansion.tasks.documents", "scansion.models.counted_folder", "scansion.families.baseline",
    "scansion.families.bag_of_words", "scansion.families.ngrams", "scansion.tasks.language",
    "scansion.families.kneser_ney",
)  # fmt: skip
SLOW_TO_IMPORT = {"torch", "sklearn", "pandas", "sacrebleu", "jinja2"}


def slow_imports(roots: tuple[str, ...], everything: dict[str, Module]) -> list[str]:
    """How modules reach what is slow to import, over whatever they import on their way; what is deferred waits."""
    found: list[str] = []
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        module, here = everything[name], (*path, name)
        done.add(name)
        for each in module.imports:
            in_a_verb = module.room == "cli" and path == ()
            if each.deferred or only_for_types(module, each) or (each.function and not in_a_verb):
                continue
            if each.top in SLOW_TO_IMPORT:
                found.append(" -> ".join((*here, each.module)))
            for other in (each.module, *(f"{each.module}.{part}" for part in each.names)):
                if other in everything and other not in done:
                    walk(other, here)

    for root in roots:
        if root not in done:
            walk(root, ())
    return found


def test_what_answers_by_counting_reaches_nothing_that_is_slow_to_import():
    everything = {".".join(module.path.with_suffix("").parts): module for module in modules()}
    assert not slow_imports(COUNTED_PATH, everything)
    assert slow_imports(("scansion.families.lstm",), everything)


def test_what_is_deferred_is_there():
    named = {(each.module, *each.names) for module in modules() for each in module.imports if each.deferred}
    assert len(named) > 20
    assert [(module, name) for module, name in sorted(named) if not hasattr(import_module(module), name)] == []


# The few file names that stand in two rooms, each meaning the same thing in both.
SHARED_NAMES = {
    "catalogue",  # the table of what there is in a room
    "documents",  # documents: read (text), asked of (tasks)
    "pretrained_encoder",
    "compare",  # the main job: in Python (comparison), as a verb (cli)
    "look",  # a look at a text: its page (viewer), the verb (cli)
    "worker",
}


def test_a_file_name_means_one_thing():
    rooms: dict[str, set[str | None]] = {}
    for module in modules():
        if module.path.stem != "__init__":
            rooms.setdefault(module.path.stem, set()).add(module.room)
    twice = {name for name, where in rooms.items() if len(where) > 1}
    assert twice <= SHARED_NAMES
    assert len(twice) <= 5


def test_a_class_name_means_one_thing():
    classes = [
        node.name for module in modules() for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert sorted({name for name in classes if classes.count(name) > 1}) == []


def test_contributing_draws_the_rooms_in_this_order():
    built = {module.room for module in modules()}
    drawing = [" · ".join(room for room in line if room in built) for line in ROOMS]
    lines = [line.strip() for line in (ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()]
    start = lines.index(drawing[0]) if drawing[0] in lines else 0
    assert lines[start : start + len(drawing)] == drawing


# --- and each can fail ----------------------------------------------------------------------------------------------

BAD = [
    (stands_nowhere, "scansion/plumbing/pipes.py", ""),
    (stands_nowhere, "scansion/pipes.py", ""),
    (imports_against_the_order, "scansion/families/rnn.py", "from scansion.learning.loop import train"),
    (imports_against_the_order, "scansion/errors.py", "from scansion.randomness import stream"),
    (imports_against_the_order, "scansion/text/ids.py", "import scansion.measures.scores"),
    (imports_against_the_order, "scansion/tasks/classifier.py", "from scansion import cli"),
    (imports_against_the_order, "scansion/text/ids.py", "from .tables import read"),
    (imports_against_the_order, "scansion/heads/multiclass.py", "def late():\n    import scansion.tasks.catalogue"),
    (imports_its_own_package, "scansion/text/ids.py", "from scansion.text import tables"),
    (imports_its_own_package, "scansion/cli/fit.py", "import scansion"),
    (imports_its_own_package, "scansion/cli/fit.py", "from scansion import DocumentClassifier"),
    (hides_an_import, "scansion/tasks/classifier.py", "def fit():\n    import torch"),
    (hides_an_import, "scansion/tasks/classifier.py", "class A:\n    def fit(self):\n        from math import pi"),
    (hides_an_import, "scansion/cli/fit.py", "def fit():\n    import numpy"),
    (hides_an_import, "scansion/cli/fit.py", "def fit():\n    from scansion.errors import DataError"),
    (hides_an_import, "scansion/families/rnn.py", "def find(name):\n    return importlib.import_module(name)"),
    (hides_an_import, "scansion/families/rnn.py", "torch = __import__('torch')"),
    (hides_an_import, "scansion/__init__.py", "def load():\n    from scansion.tasks.catalogue import load"),
    (hides_an_import, "scansion/tasks/documents.py", "def f(name):\n    return deferred('scansion.' + name, 'f')"),
    (hides_an_import, "scansion/tasks/documents.py", "T = DeferredTable({'a': (MODULE, 'A')})"),
    (imports_against_the_order, "scansion/heads/ids.py", "T = DeferredTable({'a': ('scansion.tasks.a', 'A')})"),
    (imports_against_the_order, "scansion/text/ids.py", "read = deferred('scansion.models.a', 'read')"),
    (imports_torch_at_start_up, "scansion/cli/fit.py", "from scansion.tasks.classifier import DocumentClassifier"),
    (imports_torch_at_start_up, "scansion/text/ids.py", "import torch.nn.functional as F"),
    (imports_torch_at_start_up, "scansion/storage/folder.py", "from safetensors.torch import save_file"),
    (imports_what_is_not_declared, "scansion/text/ids.py", "import transformers"),
    (imports_what_is_not_declared, "scansion/text/ids.py", "import pyarrow.parquet"),
    (imports_what_is_not_declared, "scansion/storage/folder.py", "import pickle"),
    (asserts, "scansion/text/ids.py", "def f(x):\n    assert x > 0"),
    (takes_any_keyword, "scansion/text/ids.py", "def f(**kwargs): ..."),
    (takes_any_keyword, "scansion/text/ids.py", "f = lambda **options: options"),
    (asks_a_value_what_it_is, "scansion/cli/predict.py", "if isinstance(model, Translator): pass"),
    (asks_a_value_what_it_is, "scansion/learning/pretraining.py", "carries = isinstance(family, LSTM | RNN)"),
    (asks_a_value_what_it_is, "scansion/cli/predict.py", "if hasattr(model, 'translate'): pass"),
    (asks_a_value_what_it_is, "scansion/comparison/table.py", "if comparison.task == 'translate': pass"),
    (acts_when_imported, "scansion/text/ids.py", "print('hello')"),
    (acts_when_imported, "scansion/text/ids.py", "os.environ['X'] = '1'"),
    (acts_when_imported, "scansion/text/ids.py", "for name in NAMES:\n    register(name)"),
    (acts_when_imported, "scansion/text/ids.py", "try:\n    import pyarrow\nexcept ImportError:\n    pyarrow = None"),
    (acts_when_imported, "scansion/text/ids.py", "if sys.platform == 'linux':\n    FAST = True"),
    (acts_when_imported, "scansion/text/ids.py", "class A:\n    register('A')"),
    (says_more_than_a_docstring, "scansion/text/__init__.py", '"""In."""\nfrom scansion.text.tables import read'),
    (says_more_than_a_docstring, "scansion/text/__init__.py", "ROOM = 1"),
    (is_too_long_a_file, "scansion/families/rnn.py", "x = 1\n" * (FAMILY_LINES + 1)),
    (is_too_long_a_file, "scansion/text/ids.py", "x = 1\n" * (FILE_LINES + 1)),
    (has_too_long_a_function, "scansion/text/ids.py", "def f():\n" + "    x = 1\n" * FUNCTION_LINES),
    (has_an_undecided_name, "scansion/text/utils.py", ""),
    (has_an_undecided_name, "scansion/layers/base_layer.py", ""),
    (has_an_undecided_name, "scansion/common/text.py", ""),
    (is_undocumented, "scansion/text/ids.py", '"""Ids."""\ndef read(): ...'),
    (is_undocumented, "scansion/text/ids.py", '"""Ids."""\nclass DocumentNetwork: ...'),
    (is_undocumented, "scansion/text/ids.py", "ids = ()"),
]

GOOD = [
    (stands_nowhere, "scansion/__main__.py", ""),
    (imports_against_the_order, "scansion/__init__.py", "from scansion.cli.main import run"),
    (
        imports_against_the_order,
        "scansion/text/ids.py",
        "import scansion.text.word_tokenizer\nfrom scansion.errors import E",
    ),
    (imports_its_own_package, "scansion/tasks/classifier.py", "from scansion.families import lstm"),
    (imports_its_own_package, "scansion/text/ids.py", "from scansion.textual import x"),
    (hides_an_import, "scansion/text/tables.py", "def read():\n    import pyarrow.parquet"),
    (hides_an_import, "scansion/cli/fit.py", "def fit():\n    import torch\n    import scansion.tasks.catalogue"),
    (hides_an_import, "scansion/__init__.py", "def __getattr__(name):\n    return import_module(HOME[name])"),
    (imports_torch_at_start_up, "scansion/cli/fit.py", "if TYPE_CHECKING:\n    import scansion.tasks.catalogue"),
    (imports_torch_at_start_up, "scansion/layers/attention.py", "import torch"),
    (hides_an_import, "scansion/deferred.py", "def deferred(module, name):\n    return import_module(module)"),
    (hides_an_import, "scansion/tasks/documents.py", "look = deferred('scansion.inspection.document_page', 'look')"),
    (imports_what_is_not_declared, "scansion/text/ids.py", "import json\nimport numpy\nimport sklearn.base"),
    (imports_what_is_not_declared, "scansion/comparison/rows.py", "if TYPE_CHECKING:\n    import pandas"),
    (takes_any_keyword, "scansion/text/ids.py", "def set_params(self, **parameters):\n    g(**parameters)"),
    (takes_any_keyword, "scansion/text/ids.py", "def run(*args: P.args, **kwargs: P.kwargs): ..."),
    (asks_a_value_what_it_is, "scansion/text/ids.py", "if isinstance(cell, str) and task != other: pass"),
    (acts_when_imported, "scansion/text/ids.py", "X, Y = 1, 2\nif __name__ == '__main__':\n    run()"),
    (says_more_than_a_docstring, "scansion/__init__.py", "from scansion.errors import ScansionError"),
    (has_too_long_a_function, "scansion/text/ids.py", "def f():\n" + "    x = 1\n" * (FUNCTION_LINES - 1)),
    (is_undocumented, "scansion/text/ids.py", '"""Ids."""\ndef _read(): ...'),
]


@pytest.mark.parametrize(("rule", "path", "source"), BAD, ids=lambda value: getattr(value, "__name__", None))
def test_each_rule_finds_its_breach(rule, path, source):
    assert len(list(rule(Module(PurePosixPath(path), source)))) == 1


@pytest.mark.parametrize(("rule", "path", "source"), GOOD, ids=lambda value: getattr(value, "__name__", None))
def test_no_rule_forbids_what_is_allowed(rule, path, source):
    assert not list(rule(Module(PurePosixPath(path), source)))
