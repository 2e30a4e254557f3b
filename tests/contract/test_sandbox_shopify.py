"""The sandbox's Shopify schema is a true part of the published one."""

from __future__ import annotations

import gzip
import json
from importlib.resources import files
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_client_schema,
    parse,
    validate,
    validate_schema,
)

from retreasure_assets.sandbox.shopify import API_VERSION
from retreasure_assets.sandbox.shopify_engine import build_admin_schema


@pytest.fixture(scope="module")
def published(contracts: Path) -> GraphQLSchema:
    with gzip.open(contracts / "shopify" / f"admin_{API_VERSION}.json.gz") as file:
        return build_client_schema(json.load(file)["data"])


@pytest.fixture(scope="module")
def served() -> GraphQLSchema:
    return build_admin_schema()


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    return [kind for name, kind in schema.type_map.items() if not name.startswith("__")]


def test_the_schema_is_valid_and_has_the_same_roots(served: GraphQLSchema, published: GraphQLSchema) -> None:
    assert validate_schema(served) == []
    for root in ("query_type", "mutation_type"):
        assert getattr(served, root).name == getattr(published, root).name


def test_every_type_exists_with_the_same_kind(served: GraphQLSchema, published: GraphQLSchema) -> None:
    assert len(own_types(served)) > 80
    for kind in own_types(served):
        real = published.get_type(kind.name)
        assert type(real) is type(kind), kind.name
        assert not isinstance(kind, GraphQLUnionType)


def test_every_field_and_argument_exists_with_the_same_type(served: GraphQLSchema, published: GraphQLSchema) -> None:
    compared = 0
    for kind in own_types(served):
        if not isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
            continue
        real = published.get_type(kind.name)
        assert isinstance(real, (GraphQLObjectType, GraphQLInterfaceType))
        for name, field in kind.fields.items():
            assert name in real.fields, f"{kind.name}.{name}"
            assert str(real.fields[name].type) == str(field.type), f"{kind.name}.{name}"
            for argument, definition in field.args.items():
                place = f"{kind.name}.{name}({argument})"
                assert argument in real.fields[name].args, place
                assert str(real.fields[name].args[argument].type) == str(definition.type), place
                assert real.fields[name].args[argument].default_value == definition.default_value, place
            # An argument that must be given there must be given here.
            required = {key for key, arg in real.fields[name].args.items() if str(arg.type).endswith("!")}
            assert required <= field.args.keys(), f"{kind.name}.{name}"
            compared += 1
        assert {i.name for i in kind.interfaces} <= {i.name for i in real.interfaces}, kind.name
    assert compared > 300


def test_every_enum_value_exists(served: GraphQLSchema, published: GraphQLSchema) -> None:
    for kind in own_types(served):
        if isinstance(kind, GraphQLEnumType):
            real = published.get_type(kind.name)
            assert isinstance(real, GraphQLEnumType)
            assert kind.values.keys() <= real.values.keys(), kind.name


def test_enums_of_what_objects_are_in_are_complete(served: GraphQLSchema, published: GraphQLSchema) -> None:
    """A reader may ask for any status: only long lists of codes and sort keys are shortened."""
    shortened = {"CountryCode", "CurrencyCode", "ShopifyPaymentsTransactionType"}
    for kind in own_types(served):
        if isinstance(kind, GraphQLEnumType) and kind.name not in shortened and not kind.name.endswith("SortKeys"):
            real = published.get_type(kind.name)
            assert isinstance(real, GraphQLEnumType)
            assert kind.values.keys() == real.values.keys(), kind.name


def test_every_document_of_the_connector_is_served(served: GraphQLSchema) -> None:
    folder = files("retreasure_assets.sources.shopify") / "queries"
    texts = {entry.name: entry.read_text() for entry in folder.iterdir() if entry.name.endswith(".graphql")}
    fragments = {name: text for name, text in texts.items() if text.lstrip().startswith("fragment")}
    checked = 0
    for name, text in texts.items():
        if name in fragments:
            continue
        whole = text
        for fragment in fragments.values():
            head = fragment.split()[1]
            if f"...{head}" in whole:
                whole += fragment
        assert validate(served, parse(whole)) == [], name
        checked += 1
    assert checked >= 8
