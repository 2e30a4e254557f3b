"""Which mappings there are: the shipped ones, a user's own, and the entities that follow from them.

What belongs here: reading YAML, inheritance between mappings, overriding by name, and turning every mistake into
one sentence. What does not: what a mapping means.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from retreasure_assets.entities import Entity, Identity, Mask
from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sources.files import mapping as model
from retreasure_assets.sources.files.mapping import FileMapping

T = TypeVar("T")

GUIDE = "docs/file-mappings.md describes every key."

_PARTS: Mapping[str, type[BaseModel]] = {
    "columns": model.Column,
    "carry_forward": model.CarryForward,
    "summary_rows": model.SummaryRows,
    "sequence": model.Sequence,
    "identities": model.IdentityRule,
}


class _Loader(yaml.CSafeLoader):
    """YAML in which only true, false and null are more than text, and a key written twice is a mistake.

    YAML's other guesses hurt here: ``no`` as a country, ``1:30`` as a number, ``2026-01-01`` as a date.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(problem=f"the key {key!r} is written twice")
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(?:null|~|)$"), ["n", "~", ""])


@dataclass(frozen=True, slots=True)
class _Draft:
    """A mapping as written: its file's name for messages, and its keys."""

    label: str
    keys: dict[str, Any]


def load_mappings(user_folder: Path | None, taken: Collection[str] = ()) -> tuple[FileMapping, ...]:
    """Read the shipped mappings and a user's own, which add to them or, under the same name, replace them.

    Args:
        user_folder: folder of ``*.yaml`` files; None or a folder that does not exist adds nothing.
        taken: bronze tables that others feed, so that no mapping may.

    Returns:
        The mappings in the order in which they are tried on a file: a user's first, then by the most specific
        (longest) pattern.

    Raises:
        ConfigurationError: a mapping has a mistake; the sentence names file, key and what is allowed.
    """
    package = resources.files("retreasure_assets.sources") / "mappings"
    texts = {path.name: path.read_text("utf-8") for path in package.iterdir() if path.name.endswith(".yaml")}
    shipped = _drafts(texts)
    own = _drafts(_user_texts(user_folder))
    mappings = [_validated(name, shipped, own) for name in {**own, **shipped}]
    mappings.sort(key=lambda each: (each.name not in own, -max(map(len, each.pattern)), each.name))
    for each in mappings:
        if f"{each.source}_{each.entity}" in taken:
            raise ConfigurationError(
                f"The file mapping {each.name} would feed bronze.{each.source}_{each.entity}, which an API feeds.",
                remedy=f"Give it another entity, such as {each.entity}_export.",
            )
    entities(mappings)
    return tuple(mappings)


def parse_mapping(text: str, label: str, known: Mapping[str, str] | None = None) -> FileMapping:
    """Check one mapping given as YAML text.

    Args:
        text: the YAML.
        label: the file's name, for messages; without suffix it is the mapping's name unless the text gives one.
        known: other mappings that it may extend, file name -> YAML text.
    """
    own = _drafts({label: text})
    return _validated(next(iter(own)), _drafts(known or {}), own)


def entities(mappings: Iterable[FileMapping]) -> dict[str, Entity]:
    """The entities that mappings describe, by bronze table name (``pos_transactions``).

    Several mappings of one entity share what makes it: where more than one states the natural key or the change
    time they must agree; identities and masks add up, so that no mapping can weaken another's masking.

    Raises:
        ConfigurationError: two mappings of an entity contradict each other, none gives a natural key, or two
            entities would share a bronze table.
    """
    grouped: dict[tuple[str, str], list[FileMapping]] = {}
    for each in sorted(mappings, key=lambda item: item.name):
        grouped.setdefault((each.source, each.entity), []).append(each)
    found: dict[str, Entity] = {}
    for (source, name), group in grouped.items():
        entity = _entity(source, name, group)
        other = found.setdefault(entity.table, entity)
        if other is not entity:
            raise ConfigurationError(
                f"The entities {other.source}/{other.name} and {source}/{name} of file mappings would share the table "
                f"bronze.{entity.table}.",
                remedy=f"Rename the source or the entity in the mapping {group[0].name}.",
            )
    return found


def _entity(source: str, name: str, group: list[FileMapping]) -> Entity:
    where = f"{source}/{name}"
    key = _agreed(where, "natural_key", {each.name: each.natural_key for each in group if each.natural_key})
    if key is None:
        raise ConfigurationError(
            f"No file mapping of {where} has a natural_key: the fields that together identify a record.",
            remedy=f"Add natural_key to the mapping {group[0].name}. {GUIDE}",
        )
    for each in group:
        missing = [] if each.whole_object else [field for field in key if field not in each.fields]
        if missing:
            raise ConfigurationError(
                f"The file mapping {each.name} does not fill {missing[0]}, which is part of the key of {where}.",
                remedy=f"Map a column to {missing[0]}, or give it as a constant or sequence. {GUIDE}",
            )
    updated_at = _agreed(where, "updated_at", {each.name: each.updated_at for each in group if each.updated_at})
    masks: dict[str, Mask] = {}
    for field in sorted({field for each in group for field in each.all_masks}):
        stated = {each.name: each.all_masks[field] for each in group if field in each.all_masks}
        mask = _agreed(where, f"masks.{field}", stated)
        if mask is not None:
            masks[field] = mask
    personal = sorted(set(key) & set(masks))
    if personal:
        raise ConfigurationError(
            f"The natural key of {where} uses {personal[0]}, which is personal and would be kept in clear.",
            remedy=f"Choose a field that identifies the record, not a person, in the mapping {group[0].name}.",
        )
    identities = dict.fromkeys(Identity(rule.kind, rule.path) for each in group for rule in each.identities)
    return Entity(
        source=source,
        name=name,
        natural_key=key,
        updated_at=updated_at,
        description=next((each.description for each in group if each.description), f"Dropped files of {where}."),
        identities=tuple(identities),
        masks=masks,
        owner=next((each.owner for each in group if each.owner), "team:data-platform"),
    )


def _agreed(where: str, key: str, stated: Mapping[str, T]) -> T | None:
    """The one value that the mappings which state it agree on."""
    first: tuple[str, T] | None = None
    for name, value in stated.items():
        if first is None:
            first = (name, value)
        elif value != first[1]:
            raise ConfigurationError(
                f"The file mappings {first[0]} and {name} of {where} disagree about {key}.",
                remedy=f"Give {key} in one of them only, or alike in both. {GUIDE}",
            )
    return first[1] if first else None


def _user_texts(folder: Path | None) -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in _user_files(folder) if folder is not None else []:
        if path.suffix not in (".yaml", ".yml"):
            raise ConfigurationError(
                f"The file {path.name} in the folder of file mappings is no YAML file.",
                remedy="Let its name end in .yaml, or move it elsewhere.",
            )
        try:
            texts[path.name] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "may not be read"
            raise ConfigurationError(
                f"The file mapping {path.name} {why}.", remedy="Save it as UTF-8 text that this user may read."
            ) from None
    return texts


def _user_files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError:
        raise ConfigurationError(
            f"The folder of file mappings {folder} may not be read.", remedy="Give this user the right to read it."
        ) from None


def _drafts(texts: Mapping[str, str]) -> dict[str, _Draft]:
    """Mapping name -> what its file says."""
    drafts: dict[str, _Draft] = {}
    for label, text in sorted(texts.items()):
        try:
            keys = yaml.load(text, Loader=_Loader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f" line {mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or "it cannot be parsed"
            raise ConfigurationError(
                f"The file mapping {label} is no valid YAML:{line}: {problem}.", remedy=f"Correct it. {GUIDE}"
            ) from None
        if not isinstance(keys, dict):
            raise ConfigurationError(
                f"The file mapping {label} holds no keys.", remedy=f"Start with source, entity and pattern. {GUIDE}"
            )
        name = str(keys.setdefault("name", Path(label).stem))
        if name in drafts:
            raise ConfigurationError(
                f"The file mappings {drafts[name].label} and {label} have the same name {name!r}.",
                remedy="Rename one of them.",
            )
        drafts[name] = _Draft(label, keys)
    return drafts


def _validated(name: str, shipped: Mapping[str, _Draft], own: Mapping[str, _Draft]) -> FileMapping:
    draft = own.get(name) or shipped[name]
    keys = _inherited(draft, shipped, own, seen=())
    try:
        return FileMapping.model_validate(keys)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=True)[0]
        raise ConfigurationError(f"The file mapping {draft.label}: {_sentence(first)}.", remedy=GUIDE) from None


def _inherited(
    draft: _Draft, shipped: Mapping[str, _Draft], own: Mapping[str, _Draft], seen: tuple[_Draft, ...]
) -> dict[str, Any]:
    """A draft's keys over those of the mapping it extends; null takes an inherited key away."""
    keys = dict(draft.keys)
    if isinstance(keys.get("columns"), dict):
        # In the long form an inherited column keeps its type when only its name is given anew.
        columns = keys["columns"].items()
        keys["columns"] = {name: {"column": c} if isinstance(c, str | list) else c for name, c in columns}
    base = keys.pop("extends", None)
    if base is None:
        return _merged({}, keys)
    # A user's mapping may extend the shipped one that it replaces by carrying the same name.
    parent = shipped.get(base) if base == draft.keys["name"] else own.get(base) or shipped.get(base)
    if parent is None or any(parent is each for each in (draft, *seen)):
        known = ", ".join(sorted({*own, *shipped} - {draft.keys["name"]}))
        problem = "is unknown" if parent is None else "leads back to itself"
        raise ConfigurationError(
            f"The file mapping {draft.label}: extends {base!r} {problem}; known mappings are {known}.", remedy=GUIDE
        )
    inherited = _inherited(parent, shipped, own, (*seen, draft))
    return _merged(inherited, keys)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key, {}), dict):
            result[key] = _merged(result.get(key, {}), value)
        else:
            result[key] = value
    return result


def _sentence(error: ErrorDetails) -> str:
    """What is wrong, at which key, and what is allowed there."""
    location = [str(part) for part in error["loc"]]
    where = ".".join(location)
    if error["type"] == "extra_forbidden":
        part = _PARTS.get(location[0], FileMapping) if len(location) > 1 else FileMapping
        allowed = sorted(part.model_fields) + (["extends"] if part is FileMapping else [])
        close = difflib.get_close_matches(location[-1], allowed, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        return f"the key {where} is unknown{hint}; allowed are {', '.join(allowed)}"
    if error["type"] == "missing":
        return f"the key {where} is missing"
    message = error["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
