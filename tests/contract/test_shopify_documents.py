"""The Shopify connector against the real schema of API version 2026-10."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    build_client_schema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    parse,
    validate,
)

from retreasure_assets.entities import Entity, Mask
from retreasure_assets.sources.shopify import ENTITIES, documents
from retreasure_assets.sources.shopify.client import API_VERSION
from retreasure_assets.sources.shopify.connector import TIMELINES

QUERIES = Path(documents.__file__).parent / "queries"
DOCUMENTS = sorted(path.stem for path in QUERIES.glob("*.graphql") if not path.stem.endswith("_fields"))
NESTED = ("orders", "products")
PERIOD = "updated_at:>='2020-01-01T00:00:00Z' AND updated_at:<'2026-01-01T00:00:00Z'"


@pytest.fixture(scope="module")
def schema(contracts: Path) -> GraphQLSchema:
    with gzip.open(contracts / "shopify" / f"admin_{API_VERSION}.json.gz") as file:
        introspection = json.load(file)
    return build_client_schema(introspection.get("data", introspection), assume_valid=True)


def assert_valid(schema: GraphQLSchema, document: str) -> None:
    assert [error.message for error in validate(schema, parse(document))] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(schema: GraphQLSchema, name: str) -> None:
    assert_valid(schema, documents.text(name))


@pytest.mark.parametrize("entity", NESTED)
def test_derived_documents(schema: GraphQLSchema, entity: str) -> None:
    fields = f"{entity.removesuffix('s')}_fields"
    lists = documents.nested_lists(fields)
    assert lists
    for path in lists:
        document = documents.by_id(entity, {path: 250})
        assert_valid(schema, document)
        assert re.search(rf"\b{path[-1]}\(first: 250\b", document)
    assert_valid(schema, documents.by_id(entity, dict.fromkeys(lists, 250)))
    for (name, *rest), nested in lists.items():
        if nested.pageable:
            assert not rest
            assert_valid(schema, documents.continuation(fields, name))


@pytest.mark.parametrize("entity", NESTED)
def test_widened_documents_select_the_same(schema: GraphQLSchema, entity: str) -> None:
    fields = f"{entity.removesuffix('s')}_fields"
    wide = documents.by_id(entity, dict.fromkeys(documents.nested_lists(fields), 250))
    assert selected(schema, wide, ("nodes",)) == selected(schema, documents.text(entity), (entity, "nodes"))


@pytest.mark.parametrize("entity", NESTED)
def test_bulk_queries(schema: GraphQLSchema, entity: str) -> None:
    """Valid, and within what bulk operations take: five connections, two levels, none inside a list."""
    document = documents.bulk_query(entity, PERIOD)
    assert_valid(schema, document)
    connections: list[tuple[str, ...]] = []
    query_type = schema.query_type
    assert query_type is not None
    for path, field, node in walk(schema, document, query_type):
        assert node.alias is None
        name = get_named_type(field.type).name
        if name.endswith("Connection"):
            assert len(path) in (1, 4), "a connection two levels deep or below a plain field"
            connections.append(path)
            assert [argument.name.value for argument in node.arguments if argument.name.value == "first"] == []
        assert node.name.value not in ("nodes", "pageInfo")
    assert 1 < len(connections) <= 5
    assert "fragment" not in document
    assert "..." not in document.replace("... on MediaImage", "")


@pytest.mark.parametrize("entity", NESTED)
def test_bulk_children_are_recognised_by_their_type(schema: GraphQLSchema, entity: str) -> None:
    query_type = schema.query_type
    assert query_type is not None
    for path, field, _ in walk(schema, documents.bulk_query(entity, PERIOD), query_type):
        if len(path) != 4 or not get_named_type(field.type).name.endswith("Connection"):
            continue
        node_type = get_named_type(get_named_type(field.type).fields["nodes"].type)
        possible = schema.get_possible_types(node_type) if is_abstract_type(node_type) else [node_type]
        for one in possible:
            assert documents.BULK_CONNECTIONS[one.name] == path[-1]


@pytest.mark.parametrize("entity", NESTED)
def test_bulk_leaves_out_only_connections_below_lists(schema: GraphQLSchema, entity: str) -> None:
    paged = selected(schema, documents.text(entity), (entity, "nodes"))
    bulk = selected(schema, documents.bulk_query(entity, PERIOD), (entity, "edges", "node"))
    bulk = {path.replace(".edges[].node", ".nodes[]") for path in bulk if "__typename" not in path}
    missing = {path for path in paged - bulk if ".pageInfo" not in path}
    assert bulk <= paged
    assert all(path.startswith("refunds[].") and ".nodes[]." in path for path in missing)


@pytest.mark.parametrize("entity", NESTED)
def test_nested_lists_that_may_be_cut_are_known(schema: GraphQLSchema, entity: str) -> None:
    """Every inner connection has a size, so that none comes with a default one."""
    query_type = schema.query_type
    assert query_type is not None
    fields = f"{entity.removesuffix('s')}_fields"
    known = documents.nested_lists(fields)
    for path, field, node in walk(schema, documents.text(entity), query_type):
        inner = tuple(step for step in path[2:] if step != "nodes")
        if not inner or node.name.value in ("nodes", "pageInfo"):
            continue
        arguments = {argument.name.value for argument in node.arguments}
        if get_named_type(field.type).name.endswith("Connection"):
            assert inner in known
        elif isinstance(get_nullable_type(field.type), GraphQLList) and "first" in field.args:
            # Tax lines of a line are few, and Shopify returns all of them without a size; so with tracking.
            assert inner in known or inner[-1] in ("taxLines", "trackingInfo"), arguments


@pytest.mark.parametrize("name", sorted(TIMELINES))
def test_filters_and_sort_keys_are_shopifys_own(schema: GraphQLSchema, name: str) -> None:
    """The search term is documented for the field, and the document sorts by it."""
    line = TIMELINES[name]
    query_type = schema.query_type
    assert query_type is not None
    for path, field, node in walk(schema, documents.text(name), query_type):
        if path != line.path[1:]:
            continue
        arguments = {argument.name.value: argument for argument in node.arguments}
        if line.filter is None:
            assert "query" not in arguments
            return
        described = field.args["query"].description or ""
        assert re.search(rf"^\| {line.filter} \| time\b", described, re.MULTILINE)
        if "sortKey" in field.args:
            assert arguments["sortKey"].value.value == line.filter.upper()
        else:
            assert name == "inventory_levels"
        return
    pytest.fail(f"no field at {line.path}")


def selection_of(schema: GraphQLSchema, entity: Entity) -> set[str]:
    return selected(schema, documents.text(entity.name), (*TIMELINES[entity.name].path[1:], "nodes"))


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_declared_paths_are_selected(schema: GraphQLSchema, name: str) -> None:
    entity = ENTITIES[name]
    paths = selection_of(schema, entity)
    declared = {*entity.natural_key, *entity.masks, *(identity.path for identity in entity.identities)}
    assert declared <= paths
    assert entity.updated_at in paths
    assert TIMELINES[name].time_key == entity.updated_at


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_whatever_is_personal_is_masked(schema: GraphQLSchema, name: str) -> None:
    """Leaves of personal types, and leaves with personal names, are masked unless they are known to be harmless."""
    entity = ENTITIES[name]
    harmless = {"provinceCode", "province", "country", "countryCodeV2"}
    personal = re.compile(r"(first|last|display)Name|email|phone|address\d?|company|note|ip|latitude|longitude", re.I)
    for path in selection_of(schema, entity) - set(entity.masks):
        *parents, leaf = path.split(".")
        owner = parents[-1] if parents else ""
        if owner in ("shippingAddress", "billingAddress", "defaultAddress"):
            assert leaf in harmless, path
        # A tracking company is the carrier.
        assert owner == "trackingInfo[]" or not re.fullmatch(personal, leaf), path


def test_masks_keep_what_the_platform_needs() -> None:
    orders = ENTITIES["orders"]
    assert orders.masks["clientIp"] == Mask.IP_PREFIX
    assert orders.masks["shippingAddress.zip"] == Mask.POSTCODE_AREA
    assert set(orders.masks.values()) == {Mask.IP_PREFIX, Mask.POSTCODE_AREA, Mask.REDACT}
    assert not any(path.endswith(("countryCodeV2", "provinceCode")) for path in orders.masks)


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_selected_fields_are_not_deprecated_without_notice(schema: GraphQLSchema, name: str) -> None:
    query_type = schema.query_type
    assert query_type is not None
    # isPrimary and gross have no successor in 2026-10 with the same meaning; consent is selected as e-mails' is.
    known = {"isPrimary", "gross", "marketingState", "marketingUpdatedAt"}
    for path, field, _ in walk(schema, documents.text(name), query_type):
        assert field.deprecation_reason is None or path[-1] in known, path


def selected(schema: GraphQLSchema, document: str, root: tuple[str, ...]) -> set[str]:
    """Paths of the leaves below ``root``, dotted, with ``[]`` behind lists."""
    query_type = schema.query_type
    assert query_type is not None
    lists: dict[tuple[str, ...], bool] = {}
    out: set[str] = set()
    for path, field, _ in walk(schema, document, query_type):
        lists[path] = isinstance(get_nullable_type(field.type), GraphQLList)
        if path[: len(root)] == root and len(path) > len(root) and is_leaf_type(get_named_type(field.type)):
            steps = []
            for depth in range(len(root) + 1, len(path) + 1):
                here = path[:depth]
                steps.append(here[-1] + ("[]" if lists[here] and here != path else ""))
            out.add(".".join(steps))
    return out


def walk(
    schema: GraphQLSchema, document: str, root: GraphQLNamedType
) -> Iterator[tuple[tuple[str, ...], GraphQLField, FieldNode]]:
    """Every selected field with its path from the root, parents first."""
    parsed = parse(document)
    fragments = {n.name.value: n for n in parsed.definitions if isinstance(n, FragmentDefinitionNode)}

    def inner(node: Any, kind: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], GraphQLField, FieldNode]]:
        if node.selection_set is None:
            return
        for child in node.selection_set.selections:
            if isinstance(child, FieldNode):
                if child.name.value == "__typename":
                    continue
                fields: Mapping[str, GraphQLField] = kind.fields
                field = fields[child.name.value]
                here = (*path, child.name.value)
                yield here, field, child
                yield from inner(child, get_named_type(field.type), here)
            elif isinstance(child, FragmentSpreadNode):
                fragment = fragments[child.name.value]
                yield from inner(fragment, schema.get_type(fragment.type_condition.name.value), path)
            elif isinstance(child, InlineFragmentNode):
                condition = child.type_condition
                yield from inner(child, schema.get_type(condition.name.value) if condition else kind, path)

    for definition in parsed.definitions:
        if isinstance(definition, OperationDefinitionNode):
            yield from inner(definition, root if definition.operation.value == "query" else schema.mutation_type, ())
