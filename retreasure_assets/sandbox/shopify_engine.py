"""Executes GraphQL documents against the shop.

What belongs here: the schema, its resolvers, validation, costs, throttling. What does not: HTTP (``shopify``) and
bulk operations' own life (``shopify_bulk``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values
from graphql.utilities import get_operation_ast

from retreasure_assets.sandbox.shopify_connections import (
    MAX_PAGE,
    PAGINATION_CAP,
    Collection,
    Page,
    everything,
    nested_page,
    slice_of,
)
from retreasure_assets.sandbox.shopify_cost import (
    MAX_QUERY_COST,
    MUTATION_COST,
    Bucket,
    CostReader,
    actual_cost,
    requested_cost,
)
from retreasure_assets.sandbox.shopify_execution import PlainExecution
from retreasure_assets.sandbox.shopify_format import Json, gid
from retreasure_assets.sandbox.shopify_orders import LOCATION_ID
from retreasure_assets.sandbox.shopify_shop import Shop

DOCUMENTATION = "https://shopify.dev/api/usage/rate-limits"

#: The error of a query that the bucket has no points for.
THROTTLED: Json = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": DOCUMENTATION}}

Resolver = Callable[..., Any]


@dataclass
class Request:
    """What resolvers know of the request: the shop, and where to leave warnings; ``bulk`` reads lists whole."""

    shop: Shop
    bulk: bool = False
    cap: int = PAGINATION_CAP
    warnings: list[Json] = field(default_factory=list)


def _collection(choose: Callable[[Shop, Any, Mapping[str, Any]], Collection]) -> Resolver:
    """A resolver that pages through the collection that ``choose`` names (shop, parent object, arguments)."""

    def resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Page:
        request: Request = info.context
        keys, entries, search = choose(request.shop, source, arguments).select(
            arguments.get("query"), arguments.get("sortKey")
        )
        if search.warnings:
            request.warnings.append(search.extension(info.path.as_list(), arguments["query"]))
        if request.bulk:
            return everything([entry.build() for entry in entries])
        piece = slice_of(keys, arguments, cap=request.cap)
        return Page(piece.of(keys), [entry.build() for entry in piece.of(entries)], piece)

    return resolve


def _own(source: Json, info: GraphQLResolveInfo) -> list[Json]:
    """The list that a field's object holds; a reference is looked up first."""
    whole = source if info.field_name in source else info.context.shop.node(source["id"])
    found: list[Json] = whole[info.field_name]
    return found


def _nested(source: Json, info: GraphQLResolveInfo, **arguments: Any) -> Page:
    """A connection whose nodes lie in the object as a list."""
    nodes = _own(source, info)
    return everything(nodes) if info.context.bulk else nested_page(nodes, arguments)


def _metafields(source: Json, info: GraphQLResolveInfo, **arguments: Any) -> Page:
    namespace, keys = arguments.pop("namespace", None), arguments.pop("keys", None)
    nodes = [
        node
        for node in _own(source, info)
        if namespace in (None, node["namespace"])
        and (keys is None or node["key"] in keys or f"{node['namespace']}.{node['key']}" in keys)
    ]
    return everything(nodes) if info.context.bulk else nested_page(nodes, arguments)


def _list(source: Json, info: GraphQLResolveInfo, first: int | None = None) -> list[Json]:
    """A plain list that can be cut with ``first``."""
    if first is not None and not 0 <= first <= MAX_PAGE:
        raise GraphQLError(f"first cannot exceed {MAX_PAGE}", extensions={"code": "BAD_REQUEST"})
    return _own(source, info)[:first]


def _quantities(source: Json, info: GraphQLResolveInfo, names: list[str]) -> list[Json]:
    return [quantity for quantity in source["quantities"] if quantity["name"] in names]


def _by_id(kind: str | None) -> Resolver:
    """A resolver of ``id``: the object, if it is of that kind (of any, for None)."""

    def resolve(_source: Any, info: GraphQLResolveInfo, id: str | None = None) -> Json | None:
        wanted = gid("Location", LOCATION_ID) if id is None else id
        if kind is not None and not wanted.startswith(f"gid://shopify/{kind}/"):
            raise GraphQLError(f"Invalid id: {kind} expected", extensions={"code": "RESOURCE_NOT_FOUND"})
        found: Json | None = info.context.shop.node(wanted)
        return found

    return resolve


def _nodes(_source: Any, info: GraphQLResolveInfo, ids: list[str]) -> list[Json | None]:
    if len(ids) > MAX_PAGE:
        raise GraphQLError(
            f"The input array size of {len(ids)} is greater than the maximum allowed of {MAX_PAGE}.",
            extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
        )
    return [info.context.shop.node(wanted) for wanted in ids]


def _count(choose: Callable[[Shop], Collection]) -> Resolver:
    def resolve(_source: Any, info: GraphQLResolveInfo, query: str | None = None, limit: int | None = 10_000) -> Json:
        found = len(choose(info.context.shop).select(query, None)[0])
        if limit is None or found <= limit:
            return {"count": found, "precision": "EXACT"}
        return {"count": limit, "precision": "AT_LEAST"}

    return resolve


def _levels(shop: Shop, source: Any, _arguments: Mapping[str, Any]) -> Collection:
    return shop.levels if source["id"] == gid("Location", LOCATION_ID) else shop.no_levels


_RESOLVERS: Mapping[tuple[str, str], Resolver] = {
    ("QueryRoot", "shop"): lambda _source, info: info.context.shop.shop,
    ("QueryRoot", "currentAppInstallation"): lambda _source, info: info.context.shop.installation,
    ("QueryRoot", "orders"): _collection(lambda shop, _source, _args: shop.orders),
    ("QueryRoot", "products"): _collection(lambda shop, _source, _args: shop.products),
    ("QueryRoot", "customers"): _collection(lambda shop, _source, _args: shop.customers),
    ("QueryRoot", "locations"): _collection(
        lambda shop, _source, args: shop.all_locations if args.get("includeInactive") else shop.locations
    ),
    ("QueryRoot", "ordersCount"): _count(lambda shop: shop.orders),
    ("QueryRoot", "productsCount"): _count(lambda shop: shop.products),
    ("QueryRoot", "order"): _by_id("Order"),
    ("QueryRoot", "product"): _by_id("Product"),
    ("QueryRoot", "customer"): _by_id("Customer"),
    ("QueryRoot", "location"): _by_id("Location"),
    ("QueryRoot", "node"): _by_id(None),
    ("QueryRoot", "nodes"): _nodes,
    ("QueryRoot", "shopifyPaymentsAccount"): lambda _source, _info: {"id": gid("ShopifyPaymentsAccount", 55_000_001)},
    ("ShopifyPaymentsAccount", "payouts"): _collection(lambda shop, _source, _args: shop.payouts),
    ("ShopifyPaymentsAccount", "balanceTransactions"): _collection(
        lambda shop, _source, args: shop.balance_without_transfers if args.get("hideTransfers") else shop.balance
    ),
    ("Location", "inventoryLevels"): _collection(_levels),
    ("Product", "metafields"): _metafields,
    ("InventoryLevel", "quantities"): _quantities,
}


def build_admin_schema() -> GraphQLSchema:
    """The served part of the Admin schema, with resolvers; bulk operations are left for the caller to attach."""
    text = (files(__package__) / "shopify_admin.graphql").read_text(encoding="utf-8")
    schema = build_schema(text)
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__"):
            continue
        for field_name, definition in kind.fields.items():
            special = _RESOLVERS.get((name, field_name))
            if special is not None:
                definition.resolve = special
            elif get_named_type(definition.type).name.endswith("Connection"):
                definition.resolve = _nested
            elif "first" in definition.args:
                definition.resolve = _list
    return schema


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that was read once: its errors, or the document."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]


class Engine:
    """Runs documents.

    Args:
        shop: what to serve.
        schema: with all resolvers attached.
        bucket: where the points come from.
        cap: objects of one query that can be paged through.
    """

    def __init__(self, shop: Shop, schema: GraphQLSchema, bucket: Bucket, cap: int = PAGINATION_CAP) -> None:
        self.shop = shop
        self.schema = schema
        self.bucket = bucket
        self._cap = cap
        self.prepare = lru_cache(maxsize=256)(self._prepare)

    def _prepare(self, text: str) -> Prepared:
        try:
            document = parse(text)
        except GraphQLError as error:
            return Prepared(None, (error,))
        errors = tuple(validate(self.schema, document))
        return Prepared(None if errors else document, errors)

    def run(self, text: str, variables: Mapping[str, Any] | None, operation_name: str | None) -> Json:
        """The answer's JSON: ``data``, ``errors``, ``extensions``."""
        prepared = self.prepare(text)
        if prepared.document is None:
            return {"errors": [error.formatted for error in prepared.errors]}
        operation = get_operation_ast(prepared.document, operation_name)
        if operation is None:
            return {"errors": [{"message": "An operation name is required"}]}
        coerced = get_variable_values(self.schema, operation.variable_definitions or (), dict(variables or {}))
        if isinstance(coerced, list):
            return {"errors": [error.formatted for error in coerced]}
        return self._charge(prepared.document, operation, coerced, dict(variables or {}), operation_name)

    def _charge(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        coerced: Mapping[str, Any],
        variables: dict[str, Any],
        operation_name: str | None,
    ) -> Json:
        """Take the points, execute, give back what was not needed."""
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        mutation = operation.operation is OperationType.MUTATION
        root = self.schema.mutation_type if mutation else self.schema.query_type
        assert root is not None
        trees = CostReader(self.schema, fragments, coerced).read(operation.selection_set, root)
        requested = MUTATION_COST if mutation else requested_cost(trees)
        if requested > MAX_QUERY_COST:
            return {"errors": [_too_costly(requested)]}
        if not self.bucket.take(requested):
            return {"errors": [THROTTLED], "extensions": {"cost": self._cost(requested, None)}}
        request = Request(self.shop, cap=self._cap)
        result = execute_sync(
            self.schema,
            document,
            context_value=request,
            variable_values=variables,
            operation_name=operation_name,
            execution_context_class=PlainExecution,
        )
        actual = MUTATION_COST if mutation else min(requested, round(actual_cost(trees, result.data)))
        self.bucket.give_back(requested - actual)
        extensions: Json = {"cost": self._cost(requested, actual)}
        if request.warnings:
            extensions["search"] = request.warnings
        answer: Json = {} if result.data is None else {"data": result.data}
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        return {**answer, "extensions": extensions}

    def _cost(self, requested: int, actual: int | None) -> Json:
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": self.bucket.status(),
        }


def _too_costly(requested: int) -> Json:
    return {
        "message": f"Query cost is {requested}, which exceeds the single query max cost limit ({MAX_QUERY_COST}).",
        "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": requested,
            "maxCost": MAX_QUERY_COST,
            "documentation": DOCUMENTATION,
        },
    }
