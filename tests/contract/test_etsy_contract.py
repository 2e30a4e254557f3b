"""Etsy's published contract against what we ask, mask, read in silver, and show in the sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jsonschema
import pytest

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.lake.records import RecordReader
from retreasure_assets.privacy.keys import JudgingKeys
from retreasure_assets.sandbox.etsy import KEYSTRING, SHARED_SECRET
from retreasure_assets.sandbox.etsy_format import SHOP_ID
from retreasure_assets.sandbox.etsy_requests import SCOPES as GRANTED
from retreasure_assets.sandbox.etsy_tokens import refresh_token
from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world
from retreasure_assets.sources.etsy import ENTITIES, EtsyConnector
from retreasure_assets.sources.etsy.entities import SCOPES
from tests.conftest import REPOSITORY
from tests.unit.sources.fake_etsy import Memory

Json = dict[str, Any]

SCHEMAS = {
    "receipts": "ShopReceipt",
    "listings": "ShopListingWithAssociations",
    "ledger_entries": "PaymentAccountLedgerEntry",
    "payments": "Payment",
}
OPERATIONS = {
    "receipts": "getShopReceipts",
    "listings": "getListingsByShop",
    "ledger_entries": "getShopPaymentAccountLedgerEntries",
    "payments": "getPaymentAccountLedgerEntryPayments",
}


@pytest.fixture(scope="module")
def contract(contracts: Path) -> Json:
    loaded: Json = json.loads((contracts / "etsy" / "etsy_oas_2026-02.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world(WorldSpec(days=70, scale=0.4))


@pytest.fixture(scope="module")
def sync(world: World) -> tuple[dict[str, list[RawBatch]], list[httpx.Request]]:
    """Two syncs of everything from the sandbox, and every request they made."""
    requests: list[httpx.Request] = []
    found: dict[str, list[RawBatch]] = {}

    class Recording(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return super().handle_request(request)

    with running_sandbox(world) as url:
        connector = EtsyConnector(
            keystring=KEYSTRING,
            shared_secret=SHARED_SECRET,
            refresh_token=refresh_token(0),
            shop_id=SHOP_ID,
            base_url=url,
            store=Memory(),
            transport=Recording(),
        )
        assert connector.check() == []
        for name, entity in ENTITIES.items():
            found[name] = list(connector.batches(entity, None, Window()))
            list(connector.batches(entity, found[name][-1].cursor, Window()))
        connector.close()
    return found, requests


# --- what we ask -------------------------------------------------------------------------------------------------


def operation(contract: Json, request: httpx.Request) -> Json:
    """The contract's operation that a request is one of."""
    for template, methods in contract["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[0-9]+", re.escape(template))
        if re.fullmatch(pattern, request.url.path) and request.method.lower() in methods:
            found: Json = methods[request.method.lower()]
            return found
    raise AssertionError(f"the contract has no {request.method} {request.url.path}")


def check_value(schema: Json, text: str) -> None:
    """A query parameter's value against its schema."""
    if schema["type"] == "array":
        for part in text.split(","):
            check_value(schema["items"], part)
        return
    value: object = text
    if schema["type"] == "integer":
        value = int(text)
    elif schema["type"] == "boolean":
        value = {"true": True, "false": False}[text]
    jsonschema.validate(
        value, {name: schema[name] for name in ("type", "enum", "minimum", "maximum") if name in schema}
    )


def test_every_request_is_valid(contract: Json, sync: tuple[object, list[httpx.Request]]) -> None:
    _, requests = sync
    asked = set()
    for request in requests:
        if request.url.path == "/v3/public/oauth/token":
            flow = contract["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"]
            assert httpx.URL(flow["tokenUrl"]).path == request.url.path
            continue
        found = operation(contract, request)
        asked.add(found["operationId"])
        assert request.headers["x-api-key"].count(":") == 1
        assert request.headers["authorization"].startswith("Bearer ")
        parameters = {each["name"]: each for each in found.get("parameters", ()) if each["in"] == "query"}
        given = dict(parse_qsl(request.url.query.decode()))
        assert given.keys() <= parameters.keys(), found["operationId"]
        for name, parameter in parameters.items():
            assert name in given or not parameter.get("required"), (found["operationId"], name)
        for name, text in given.items():
            check_value(parameters[name]["schema"], text)
        if request.method == "POST":
            form = found["requestBody"]["content"][request.headers["content-type"]]["schema"]
            body = dict(parse_qsl(request.content.decode()))
            assert set(form["required"]) <= body.keys() <= form["properties"].keys()
    assert asked == {*OPERATIONS.values(), "getShop", "tokenScopes", "getPayments"}


def test_the_scopes_are_those_of_the_operations(contract: Json) -> None:
    operations = {each["operationId"]: each for methods in contract["paths"].values() for each in methods.values()}
    assert set(SCOPES.values()) <= set(GRANTED)
    for name, scope in SCOPES.items():
        assert {"api_key": [], "oauth2": [scope]} in operations[OPERATIONS[name]]["security"]
    for name in ("getPayments", "getShop", "tokenScopes"):
        wanted = operations[name].get("security") or [{}]
        assert all(scope == "transactions_r" for each in wanted for scope in each.get("oauth2", ()))
    limits = [
        parameter["schema"]["maximum"]
        for name in ("receipts", "listings", "ledger_entries")
        for parameter in operations[OPERATIONS[name]]["parameters"]
        if parameter["name"] == "limit"
    ]
    assert limits == [100, 100, 100]


# --- what is there to read ---------------------------------------------------------------------------------------


def property_at(contract: Json, schema: str, path: str) -> Json:
    """The schema of a dotted path (with ``[]`` for elements) below a component."""
    node: Json = {"$ref": f"#/components/schemas/{schema}"}
    for part in path.split("."):
        node = resolved(contract, node)
        node = node["properties"][part.removesuffix("[]")]
        if part.endswith("[]"):
            node = resolved(contract, node)["items"]
    return resolved(contract, node)


def resolved(contract: Json, node: Json) -> Json:
    for inner in node.get("allOf", ()):
        node = {**node, **inner}
    if "$ref" in node:
        found: Json = contract["components"]["schemas"][node["$ref"].rpartition("/")[2]]
        return resolved(contract, found)
    return node


@pytest.mark.parametrize("name", ENTITIES)
def test_every_declared_path_exists(contract: Json, name: str) -> None:
    entity = ENTITIES[name]
    paths = [*entity.natural_key, entity.updated_at, *entity.masks, *(identity.path for identity in entity.identities)]
    for path in paths:
        assert path is not None
        assert property_at(contract, SCHEMAS[name], path), path


def texts_of(contract: Json, node: Json, path: str = "") -> Iterator[str]:
    """The paths of all free texts."""
    node = resolved(contract, node)
    if node.get("type") == "array":
        yield from texts_of(contract, node["items"], f"{path}[]")
    elif "properties" in node:
        for name, inner in node["properties"].items():
            yield from texts_of(contract, inner, f"{path}.{name}".lstrip("."))
    elif node.get("type") == "string" and "enum" not in node:
        yield path


def test_every_text_that_could_name_a_buyer_is_masked(contract: Json) -> None:
    """Whoever adds a text to the contract has to say here that it is harmless."""
    harmless = {
        "receipts": {
            "state",
            "country_iso",
            "payment_method",
            "refunds[].status",
            "shipments[].carrier_name",
            "shipments[].tracking_code",
            *(f"transactions[].{name}" for name in ("title", "description", "file_data", "transaction_type", "sku")),
            *(f"transactions[].{name}" for name in ("shipping_method", "shipping_upgrade")),
            "transactions[].variations[].formatted_name",
            *(f"transactions[].product_data[].{name}" for name in ("property_name", "scale_name", "values[]")),
        },
        "payments": {
            "currency",
            "shop_currency",
            "buyer_currency",
            "status",
            "payment_adjustments[].status",
            "payment_adjustments[].payment_adjustment_items[].adjustment_type",
        },
    }
    for name, allowed in harmless.items():
        texts = set(texts_of(contract, {"$ref": f"#/components/schemas/{SCHEMAS[name]}"}))
        texts = {path for path in texts if not path.endswith("currency_code")}
        assert texts - ENTITIES[name].masks.keys() == allowed


_KINDS = "text|lower|money|divided|int|flag|time|epoch|date|list"


def silver_fields() -> Iterator[tuple[str, str]]:
    """(schema, path) of everything that silver reads of Etsy's documents."""
    roots = {
        "stg_etsy__receipts": "ShopReceipt",
        "stg_etsy__payments": "Payment",
        "stg_etsy__ledger_entries": "PaymentAccountLedgerEntry",
        "stg_etsy__listings": "ShopListingWithAssociations",
        "etsy_transaction_fields": "ShopReceiptTransaction",
        "etsy_shipment_fields": "ShopReceiptShipment",
        "etsy_refund_fields": "ShopRefund",
        "etsy_adjustment_fields": "PaymentAdjustment",
        "etsy_adjustment_item_fields": "PaymentAdjustmentItem",
        "etsy_product_fields": "ListingInventoryProduct",
        "etsy_offering_fields": "ListingInventoryProductOffering",
    }
    project = REPOSITORY / "dbt_project"
    texts = {path.stem: path.read_text() for path in (project / "models" / "silver" / "etsy").glob("stg_*.sql")}
    macros = (project / "macros" / "staging" / "etsy_fields.sql").read_text()
    texts |= dict(re.findall(r"{% macro (\w+_fields)\(\) -%}(.*?){%- endmacro %}", macros, re.S))
    for name, schema in roots.items():
        found = re.findall(rf"\['\w+', '([\w.]+)', '({_KINDS})'", texts[name])
        assert found, name
        for path, kind in found:
            yield from ((schema, f"{path}{part}") for part in ([".amount", ".divisor"] if kind == "divided" else [""]))


def test_every_field_that_silver_reads_exists(contract: Json) -> None:
    fields = list(silver_fields())
    assert len(fields) > 60
    for schema, path in fields:
        assert property_at(contract, schema, path), (schema, path)


# --- what the contract says a record may be -------------------------------------------------------------------------


def example(contract: Json, node: Json, *, empty: bool) -> Any:
    """A value of a schema: with everything there is, or with null wherever it may be."""
    nullable = node.get("nullable")
    node = resolved(contract, node)
    if empty and (nullable or node.get("nullable")):
        return None
    if node.get("type") == "array":
        return [] if empty else [example(contract, node["items"], empty=empty)]
    if "properties" in node:
        return {name: example(contract, inner, empty=empty) for name, inner in node["properties"].items()}
    if node.get("type") == "integer":
        return max(1_767_571_200, node.get("minimum", 0))
    return {"number": 1.5, "boolean": True, "string": (node.get("enum") or ["text"])[0]}[node["type"]]


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("name", ENTITIES)
def test_whatever_the_contract_allows_is_a_good_record(contract: Json, name: str, empty: bool) -> None:
    """The contract has no examples of its own: they are made from its schemas."""
    node = example(contract, {"$ref": f"#/components/schemas/{SCHEMAS[name]}"}, empty=empty)
    record = json.dumps(node).encode()
    reader = RecordReader(ENTITIES[name], JudgingKeys(b"p" * 32, b"i" * 32))
    good, bad = reader.read(RawBatch(ENTITIES[name], [record], ["here"]))
    assert bad.reasons.to_pylist() == []
    assert good.natural_keys.to_pylist() == ["1767571200"]
    masked = json.loads(good.payloads.to_pylist()[0])
    for path in ENTITIES[name].masks:
        top = path.partition("[")[0].partition(".")[0]
        if path == top and not empty:
            assert masked[path] != node[path] or node[path] is None


def test_no_example_goes_unread(contract: Json) -> None:
    def names(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            yield from node
            for inner in node.values():
                yield from names(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from names(inner)

    assert not {"example", "examples"} & set(names(contract))


def draft(contract: Json, node: Json) -> Json:
    """An OpenAPI 3.0 schema as JSON schema: ``nullable`` becomes a type."""
    nullable = bool(node.get("nullable"))
    node = resolved(contract, node)
    nullable = nullable or bool(node.get("nullable"))
    found: Json = {name: node[name] for name in ("type", "enum", "minimum", "maximum") if name in node}
    if "properties" in node:
        found["properties"] = {name: draft(contract, inner) for name, inner in node["properties"].items()}
        found["additionalProperties"] = False
    if "items" in node:
        found["items"] = draft(contract, node["items"])
    return {"anyOf": [found, {"type": "null"}]} if nullable else found


@pytest.mark.parametrize("name", ENTITIES)
def test_what_the_sandbox_shows_is_what_the_contract_says(
    contract: Json, sync: tuple[dict[str, list[RawBatch]], object], name: str
) -> None:
    schema = draft(contract, {"$ref": f"#/components/schemas/{SCHEMAS[name]}"})
    if name == "receipts":
        # The contract's words are in lower case, Etsy's answers are not.
        schema["properties"]["status"] = {"type": "string"}
    if name == "ledger_entries":
        # Documented as text, and a number in fact (github.com/etsy/open-api issue 295).
        schema["properties"]["reference_id"] = {"type": "integer"}
    validator = jsonschema.Draft202012Validator(schema)
    records = [json.loads(record) for batch in sync[0][name] for record in batch.records]
    assert len(records) > 20
    for record in records[:400]:
        errors = [f"{error.json_path}: {error.validator}" for error in validator.iter_errors(record)]
        assert errors == []
    words = {record["status"].lower() for record in records} if name == "receipts" else set()
    assert words <= set(property_at(contract, "ShopReceipt", "status")["enum"])
