"""Requests and answers held against the published OpenAPI documents, where these are on the machine.

What belongs here: OpenAPI 3.0 as eBay, Etsy and Square write it: paths, parameters, bodies, answers. What does not:
what a description only says in words (eBay's limits, Etsy's windows, tokens): each face refuses that by itself.

Schemas are read by jsonschema as draft 4 plus OpenAPI's ``nullable``
(https://spec.openapis.org/oas/v3.0.3#schema-object). Values are left out of every sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import yaml
from jsonschema import ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import Draft4Validator, extend  # type: ignore[import-untyped]

from retreasure_assets.sandbox.face import Contract

Schema = Mapping[str, Any]

_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})


def _unless_null(name: str) -> Any:
    """A keyword's check that lets null pass where the schema says ``nullable``."""
    check = Draft4Validator.VALIDATORS[name]

    def nullable(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if instance is not None or not schema.get("nullable"):
            yield from check(validator, value, instance, schema) or ()

    return nullable


def _declared(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """``properties``, and nothing beside them unless the schema says so."""
    yield from Draft4Validator.VALIDATORS["properties"](validator, value, instance, schema) or ()
    # An object without a single property described is one that nobody described.
    if isinstance(instance, dict) and value and "additionalProperties" not in schema:
        for name in sorted(instance.keys() - value.keys()):
            yield ValidationError(f"{name} is not in the contract", validator="unknown field")


_NULLABLE = {name: _unless_null(name) for name in ("type", "enum", "allOf")}
_Asked = extend(Draft4Validator, _NULLABLE)
_Answered = extend(Draft4Validator, {**_NULLABLE, "properties": _declared})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document: its path's template, and what the document says of it."""

    template: str
    path: Mapping[str, str]
    said: Schema
    parameters: Sequence[Schema]


class Document:
    """One published document.

    Args:
        path: the file, YAML or JSON.
    """

    def __init__(self, path: Path) -> None:
        text = path.read_bytes()
        self._whole = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=yaml.CSafeLoader)
        self._compiled: dict[tuple[int, bool], Any] = {}

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], str, Schema]]:
        """Fixed paths before those with parameters: ``/orders/search`` is no order's id."""
        found = []
        for template in sorted(self._whole["paths"], key=lambda path: (path.count("{"), path)):
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
            found.append((re.compile(f"^{pattern}$"), template, self._whole["paths"][template]))
        return found

    def operation(self, method: str, path: str) -> Operation | str:
        """The operation that a request asks for, or why there is none."""
        for pattern, template, item in self._paths:
            match = pattern.match(path)
            if match is None:
                continue
            said = item.get(method.lower())
            if said is None or method.lower() not in _METHODS:
                return f"the contract has no {method} for {template}"
            given = [self._resolved(one) for one in (*item.get("parameters", ()), *said.get("parameters", ()))]
            return Operation(template, match.groupdict(), said, given)
        return "the contract has no such path"

    def asked(self, operation: Operation, query: str, headers: Mapping[str, str], body: bytes) -> list[str]:
        """What is wrong with a request; header names in lower case."""
        return [
            *self._parameters(operation, query, headers),
            *self._body(operation, headers.get("content-type", ""), body),
        ]

    def answered(self, operation: Operation, status: int, kind: str, body: bytes) -> list[str]:
        """What is wrong with an answer."""
        responses = operation.said["responses"]
        said = responses.get(str(status)) or responses.get("default")
        if said is None:
            return [f"the contract has no answer {status}"]
        content = self._resolved(said).get("content", {})
        if not content:
            # eBay describes errors in words only.
            return ["the contract has no body for this answer"] if body and status < 300 else []
        media = kind.split(";")[0].strip()
        if media not in content:
            return [f"the contract has no {media or 'answer without a type'}"]
        if media != "application/json" or "schema" not in content[media]:
            return []
        return self._against(content[media]["schema"], body, "answer", strict=True)

    def _parameters(self, operation: Operation, query: str, headers: Mapping[str, str]) -> Iterator[str]:
        given: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            given.setdefault(name.removesuffix("[]"), []).append(value)
        for parameter in operation.parameters:
            name, place = parameter["name"], parameter["in"]
            if place == "query":
                values = given.pop(name, [])
            elif place == "header":
                values = [headers[name.lower()]] if name.lower() in headers else []
            else:
                values = [unquote(operation.path[name])] if name in operation.path else []
            if not values:
                if parameter.get("required"):
                    yield f"the {place} parameter {name} is missing"
                continue
            schema = self._resolved(parameter.get("schema", {}))
            instance = self._read(values, schema)
            for reason in self._errors(schema, instance, strict=False):
                yield f"the {place} parameter {name} {reason}"
        for name in given:
            yield f"the contract has no query parameter {name}"

    def _read(self, values: Sequence[str], schema: Schema) -> Any:
        """A parameter's text as what its schema says; text that is no such thing stays text, and fails there."""
        kind = self._kind(schema)
        if kind == "array":
            items = self._resolved(schema.get("items", {}))
            parts = values if len(values) > 1 else values[0].split(",")
            return [self._read([part], items) for part in parts]
        text = values[-1]
        if kind == "integer" and re.fullmatch(r"-?\d+", text):
            return int(text)
        if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", text):
            return float(text)
        if kind == "boolean" and text in ("true", "false"):
            return text == "true"
        return text

    def _kind(self, schema: Schema) -> str | None:
        parts = [schema, *(self._resolved(part) for part in schema.get("allOf", ()))]
        return next((part["type"] for part in parts if "type" in part), None)

    def _body(self, operation: Operation, kind: str, body: bytes) -> list[str]:
        said = operation.said.get("requestBody")
        if said is None:
            return ["the contract has no body for this request"] if body else []
        said = self._resolved(said)
        if not body:
            return ["the body is missing"] if said.get("required") else []
        media = kind.split(";")[0].strip()
        if media not in said["content"]:
            return [f"the contract has no body of type {media or 'unknown'}"]
        schema = said["content"][media].get("schema", {})
        if media == "application/x-www-form-urlencoded":
            properties = self._resolved(schema).get("properties", {})
            form = {
                name: self._read([value], self._resolved(properties.get(name, {})))
                for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
            }
            return [f"the body {reason}" for reason in self._errors(schema, form, strict=True)]
        return self._against(schema, body, "body", strict=True) if media == "application/json" else []

    def _against(self, schema: Schema, body: bytes, what: str, *, strict: bool) -> list[str]:
        try:
            instance = json.loads(body)
        except ValueError:
            return [f"the {what} is no JSON"]
        return [f"the {what} {reason}" for reason in self._errors(schema, instance, strict=strict)]

    def _errors(self, schema: Schema, instance: Any, *, strict: bool) -> list[str]:
        key = (id(schema), strict)
        if key not in self._compiled:
            # The document's root is the base of every reference in it.
            whole = {**schema, "components": self._whole.get("components", {})}
            self._compiled[key] = (_Answered if strict else _Asked)(whole), schema
        return [_sentence(error) for error in self._compiled[key][0].iter_errors(instance)]

    def _resolved(self, said: Schema) -> Schema:
        while "$ref" in said:
            found: Any = self._whole
            for part in said["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            said = found
        return said


def _sentence(error: Any) -> str:
    """What is wrong and where, without the value."""
    place = ".".join("[]" if isinstance(key, int) else str(key) for key in error.absolute_path)
    at = f"at {place} " if place else ""
    if error.validator in ("required", "unknown field"):
        return f"{at}{error.message}".replace("'", "")
    wanted = json.dumps(error.validator_value, default=str)
    return f"{at}does not keep {error.validator} {wanted[:80]}"


@lru_cache(maxsize=16)
def document(path: Path) -> Document:
    """The document at ``path``, read once."""
    return Document(path)


def ruling(folder: Path, contracts: Sequence[Contract], path: str) -> tuple[Document, str, Contract] | None:
    """The document that rules a path of the sandbox, the path in it, and how it was declared; None where none does."""
    for contract in contracts:
        inner = path.removeprefix(contract.base)
        if path.startswith(contract.base) and inner.startswith(contract.under):
            return document(folder / contract.document), inner, contract
    return None
