"""What a folder of sentence-transformers declares beside its encoder: how a text's vector is made of its tokens'.

modules.json lists the steps, each with its class and its folder (Reimers and Gurevych 2019).  Of classes only the last
name is looked at; none is imported.
"""

from dataclasses import dataclass
from typing import Any

from scansion.errors import UnsafeFolderError, shown
from scansion.storage.foreign_folder import ForeignFolder
from scansion.storage.limits import CONFIG

MODULES = "modules.json"
OF_MODEL = "config_sentence_transformers.json"
OF_ENCODER = tuple(
    f"sentence_{kind}_config.json" for kind in
    ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
ENCODERS = ("Transformer", "BERT", "RoBERTa", "DistilBERT", "XLMRoBERTa", "CamemBERT")
POOLING = "Pooling"
OLDER_FLAGS = {
    "pooling_mode_cls_token": "cls", "pooling_mode_max_tokens": "max", "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""In the order in which several are put side by side."""


@dataclass(frozen=True)
class SentenceModules:
    """The steps, and what is said of them."""

    steps: tuple[str, ...]
    """The last name of each step's class; the first is the encoder."""
    pooling: tuple[str, ...]
    """By the names of sentence-transformers, side by side."""
    lower_case: bool = False
    """Whether texts become lower case before the tokenizer has its own way with them."""
    max_length: int | None = None
    """Tokens beyond which sentence-transformers does not read on."""
    prompt: str = ""
    """What it puts before every text."""


def read_modules(folder: ForeignFolder) -> tuple[ForeignFolder, SentenceModules | None]:
    """The encoder's folder, which is this one or in it, and what is declared; None without modules.json.

    UnsafeFolderError for what cannot be understood or leads out of the folder.
    """
    if not folder.has(MODULES):
        return folder, None
    where, listed = folder.where(MODULES), folder.json(MODULES)
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise UnsafeFolderError(f"{where} must be a list of objects, one a module.")
    steps = tuple(_class_of(each, where) for each in listed)
    if not steps or steps[0] not in ENCODERS:
        first = f"begins with {shown(steps[0])}" if steps else "is empty"
        raise UnsafeFolderError(f"{where} {first}; the first module must be a Transformer.")
    folders = [folder.below(each.get("path", ""), MODULES) for each in listed]
    pooling = [step for step, name in enumerate(steps) if name == POOLING]
    encoder = folders[0]
    said = next((found for name in OF_ENCODER if (found := encoder.settings(name))), {})
    return encoder, SentenceModules(
        steps, _pooling(folders[pooling[0]]) if pooling else (), bool(said.get("do_lower_case")),
        _whole_number(said.get("max_seq_length")), _prompt(folder.settings(OF_MODEL)),
    )


def _class_of(module: dict[str, Any], where: str) -> str:
    name = module.get("type")
    if not isinstance(name, str):
        raise UnsafeFolderError(f"{where}: every module needs its class, under 'type'.")
    return name.rpartition(".")[2]


def _pooling(folder: ForeignFolder) -> tuple[str, ...]:
    where, config = folder.where(CONFIG), folder.settings(CONFIG)
    named = config.get("pooling_mode")
    if named is None:
        strange = [name for name in config if name.startswith("pooling_mode") and name not in OLDER_FLAGS]
        if strange:
            raise UnsafeFolderError(f"{where}: there is no {shown(strange[0])}; known: {', '.join(OLDER_FLAGS)}.")
        return tuple(name for flag, name in OLDER_FLAGS.items() if config.get(flag)) or ("mean",)
    several = named if isinstance(named, list) else [named]
    if not several or not all(isinstance(name, str) for name in several):
        raise UnsafeFolderError(f"{where}: 'pooling_mode' must be a name or a list of names.")
    return tuple(several)


def _whole_number(value: Any) -> int | None:
    return value if type(value) is int else None


def _prompt(config: dict[str, Any]) -> str:
    prompts, name = config.get("prompts"), config.get("default_prompt_name")
    found = prompts.get(name) if isinstance(prompts, dict) and isinstance(name, str) else None
    return found if isinstance(found, str) else ""
