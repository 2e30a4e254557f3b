"""eBay against its published contracts: what the connector asks, what the sandbox answers, what silver reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jsonschema
import pytest
import yaml

from retreasure_assets.entities import Window
from retreasure_assets.sandbox import ebay
from retreasure_assets.sandbox.ebay_signature import SIGNING_JWE, SIGNING_KEY
from retreasure_assets.sandbox.fault_records import value_at
from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world
from retreasure_assets.sources.ebay import ENTITIES, EbayConnector
from retreasure_assets.sources.ebay.signing import signer
from tests.conftest import REPOSITORY

Json = dict[str, Any]

#: Entity -> the contract, its list, and the schema of a record.
SCHEMAS = {
    "orders": ("fulfillment", "Order"),
    "fulfillments": ("fulfillment", "ShippingFulfillment"),
    "inventory_items": ("inventory", "InventoryItemWithSkuLocaleGroupid"),
    "offers": ("inventory", "EbayOfferDetailsWithAll"),
    "transactions": ("finances", "Transaction"),
    "payouts": ("finances", "Payout"),
}


#: What a sync asks for.
ASKED = {
    "getOrders",
    "getOrder",
    "getShippingFulfillments",
    "getInventoryItems",
    "getOffers",
    "getTransactions",
    "getPayouts",
}


@pytest.fixture(scope="module")
def specs(contracts: Path) -> Mapping[str, Json]:
    return {
        name: yaml.load(
            (contracts / "ebay" / f"ebay-{name}-openapi-original.yml").read_text(encoding="utf-8"),
            Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),
        )
        for name in ("fulfillment", "inventory", "finances")
    }


class Recorder(httpx.HTTPTransport):
    """Notes what is asked and answered."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[tuple[httpx.Request, int, bytes]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        body = response.read()
        self.exchanges.append((request, response.status_code, body))
        return httpx.Response(response.status_code, headers=response.headers, content=body)


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world(WorldSpec(days=40, scale=0.4))


@pytest.fixture(scope="module")
def synced(world: World) -> tuple[Recorder, dict[str, list[bytes]]]:
    """A whole sync against the sandbox: the exchanges, and the payloads by entity."""
    recorder = Recorder()
    with running_sandbox(world) as url:
        connector = EbayConnector(
            client_id=ebay.EBAY_CLIENT_ID,
            client_secret=ebay.EBAY_CLIENT_SECRET,
            refresh_token=ebay.EBAY_REFRESH_TOKEN,
            marketplace="EBAY_IE",
            url=url,
            finances_url=f"{url}/apiz",
            signer=signer(SIGNING_KEY, SIGNING_JWE),
            history_start=datetime(2025, 11, 1, tzinfo=UTC).date(),
            transport=recorder,
        )
        assert connector.check() == []
        records = {
            name: [
                record
                for batch in connector.batches(entity, None, Window())
                for record in batch.payloads or batch.records
            ]
            for name, entity in ENTITIES.items()
        }
        connector.close()
    return recorder, records


def operation(specs: Mapping[str, Json], request: httpx.Request) -> tuple[Json, Json, dict[str, str]]:
    """The contract and operation that a request calls, and its path parameters."""
    path = urlsplit(str(request.url)).path.removeprefix("/apiz")
    for spec in specs.values():
        base = spec["servers"][0]["variables"]["basePath"]["default"]
        if not path.startswith(f"{base}/"):
            continue
        for template, item in spec["paths"].items():
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
            match = re.fullmatch(pattern, path.removeprefix(base))
            if match and request.method.lower() in item:
                return spec, item[request.method.lower()], match.groupdict()
    raise AssertionError(f"no operation for {request.method} {path}")


def test_every_request_is_one_of_the_contract(
    specs: Mapping[str, Json], synced: tuple[Recorder, dict[str, list[bytes]]]
) -> None:
    asked = set()
    for request, _, _ in synced[0].exchanges:
        if "/identity/" in str(request.url):
            continue
        _, called, in_path = operation(specs, request)
        asked.add(called["operationId"])
        known = {(parameter["in"], parameter["name"].lower()): parameter for parameter in called["parameters"]}
        given = parse_qs(urlsplit(str(request.url)).query, strict_parsing=bool(urlsplit(str(request.url)).query))
        for name, values in given.items():
            assert ("query", name.lower()) in known, (called["operationId"], name)
            assert len(values) == 1
        for (place, name), parameter in known.items():
            if parameter.get("required"):
                found: Json = {
                    "header": request.headers,
                    "query": given,
                    "path": {k.lower(): v for k, v in in_path.items()},
                }
                assert name in found[place], (called["operationId"], name)
        if "limit" in given:
            stated = known["query", "limit"]["description"]
            highest = re.search(r"Max(?:imum)?:</(?:b|strong)>\s*(?:<code>)?\s*(\d+)", stated)
            assert highest is None or int(given["limit"][0]) <= int(highest[1])
    assert asked == ASKED


def closed(spec: Json) -> Json:
    """A contract's schemas, in which an object has no field but those that are named."""
    text = json.dumps(spec["components"]["schemas"], default=str).replace("#/components/schemas/", "#/$defs/")
    schemas: Json = json.loads(text)
    for schema in schemas.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return schemas


def test_every_answer_of_the_sandbox_is_one_of_the_contract(
    specs: Mapping[str, Json], synced: tuple[Recorder, dict[str, list[bytes]]]
) -> None:
    validators: dict[str, Any] = {}
    checked: dict[str, int] = {}
    for request, status, body in synced[0].exchanges:
        if "/identity/" in str(request.url):
            continue
        spec, called, _ = operation(specs, request)
        responses = called["responses"]
        assert str(status) in responses, (called["operationId"], status)
        if status == 204:
            assert body == b""
            continue
        name = called["operationId"]
        checked[name] = checked.get(name, 0) + 1
        if checked[name] > 60:
            continue
        if name not in validators:
            schema = responses["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            validators[name] = jsonschema.Draft7Validator({"$ref": f"#/$defs/{schema}", "$defs": closed(spec)})
        assert [error.message for error in validators[name].iter_errors(json.loads(body))] == []
    assert set(checked) == ASKED


def field(spec: Json, schema: str, path: str) -> Json:
    """The schema of a dotted path; lists are passed through.

    Raises:
        KeyError: the contract has no such field.
    """
    node: Json = spec["components"]["schemas"][schema]
    for part in path.replace("[]", "").split("."):
        if node.get("type") == "array":
            node = node["items"]
        while "$ref" in node:
            node = spec["components"]["schemas"][node["$ref"].rpartition("/")[2]]
        node = node["properties"][part]
    return node


def entity_field(specs: Mapping[str, Json], name: str, path: str) -> Json:
    """The schema of a path in an entity's payload; a fulfilment's is in an envelope with some of its order."""
    contract, schema = SCHEMAS[name]
    if name == "fulfillments":
        part, _, path = path.partition(".")
        schema = {"order": "Order", "fulfillment": schema}[part]
    return field(specs[contract], schema, path)


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_masks_keys_and_identities_name_fields_of_the_contract(specs: Mapping[str, Json], name: str) -> None:
    entity = ENTITIES[name]
    paths = [*entity.natural_key, *entity.masks, *(identity.path for identity in entity.identities)]
    for path in [*paths, *([entity.updated_at] if entity.updated_at else [])]:
        assert entity_field(specs, name, path)


#: Names of fields that tell of a person, wherever a schema has them.
_PERSONAL = re.compile(
    r"(fullName|companyName|email|phoneNumber|addressLine\d|taxpayerId|username|recipientEmail|senderName)$", re.I
)
#: The seller's own, or a company's: nobody's data.
_NOBODYS = ("regulatory.", "lineItems.linkedOrderLineItems.")


def leaves(spec: Json, schema: Json, path: str = "", depth: int = 0) -> Iterator[str]:
    while "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("type") == "array":
        yield from leaves(spec, schema["items"], path, depth)
    elif "properties" in schema and depth < 9:
        for name, child in schema["properties"].items():
            yield from leaves(spec, child, f"{path}.{name}" if path else name, depth + 1)
    else:
        yield path


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_nothing_personal_in_the_contract_is_left_unmasked(specs: Mapping[str, Json], name: str) -> None:
    contract, schema = SCHEMAS[name]
    masked = {path.replace("[]", "") for path in ENTITIES[name].masks}
    personal = {
        path
        for path in leaves(specs[contract], {"$ref": f"#/components/schemas/{schema}"})
        if _PERSONAL.search(path) and not path.startswith(_NOBODYS)
    }
    assert personal <= masked


def test_every_field_that_silver_reads_exists_in_the_contract(specs: Mapping[str, Json]) -> None:
    models = REPOSITORY / "dbt_project" / "models" / "silver" / "ebay"
    macros = (REPOSITORY / "dbt_project" / "macros" / "staging" / "ebay_fields.sql").read_text(encoding="utf-8")
    lists = {
        "ebay_tax_fields": ("orders", "lineItems.taxes"),
        "ebay_order_line_fields": ("orders", "lineItems"),
        "ebay_line_refund_fields": ("orders", "lineItems.refunds"),
        "ebay_payment_fields": ("orders", "paymentSummary.payments"),
        "ebay_refund_fields": ("orders", "paymentSummary.refunds"),
        "ebay_instruction_fields": ("orders", "fulfillmentStartInstructions"),
        "ebay_transaction_line_fields": ("transactions", "orderLineItems"),
        "ebay_fee_fields": ("transactions", "orderLineItems.marketplaceFees"),
        "ebay_reference_fields": ("transactions", "references"),
        "ebay_place_fields": ("inventory_items", "availability.shipToLocationAvailability.availabilityDistributions"),
    }
    read = 0
    for model in models.glob("stg_ebay__*.sql"):
        entity = model.stem.removeprefix("stg_ebay__")
        text = re.sub(r"\{\{ config\(.*?\}\}", "", model.read_text(encoding="utf-8"))
        nested = re.search(r"'cancelStatus.cancelRequests', 'list', \[(.*?)\]\],", text, re.S)
        if nested:
            text = text.replace(nested[1], "")
            for path in stated(nested[1]):
                assert field(specs["fulfillment"], "Order", f"cancelStatus.cancelRequests.{path}")
                read += 1
        for path in stated(text):
            assert entity_field(specs, entity, path), (entity, path)
            read += 1
    for macro, (entity, root) in lists.items():
        body = re.search(rf"macro {macro}\(\) -%}}(.*?)endmacro", macros, re.S)
        assert body, macro
        for path in stated(body[1]):
            assert field(specs[SCHEMAS[entity][0]], SCHEMAS[entity][1], f"{root}.{path}"), (macro, path)
            read += 1
    assert read > 70


def stated(text: str) -> list[str]:
    """The paths that a list of fields names."""
    paths = re.findall(r"\['\w+',\s*'([\w.]+)',\s*'\w+'", text)
    for path in re.findall(r"ebay_amount\('\w+', '([\w.]+)'\)", text):
        paths += [f"{path}.value", f"{path}.convertedFromValue"]
    for path in re.findall(r"ebay_currency\('\w+', '([\w.]+)'\)", text):
        paths += [f"{path}.currency", f"{path}.convertedFromCurrency"]
    return paths


def test_the_records_are_those_of_the_world(world: World, synced: tuple[Recorder, dict[str, list[bytes]]]) -> None:
    from retreasure_assets.sandbox.truth_ebay import ebay_counts

    for name, records in synced[1].items():
        key = ENTITIES[name].natural_key
        keys = {tuple(value_at(payload, path) for path in key) for payload in map(json.loads, records)}
        assert len(keys) == ebay_counts(world)[f"ebay_{name}"]


def test_cancelled_orders_tell_who_asked_and_why(synced: tuple[Recorder, dict[str, list[bytes]]]) -> None:
    orders = [json.loads(record) for record in synced[1]["orders"]]
    cancelled = [order for order in orders if order["cancelStatus"]["cancelState"] == "CANCELED"]
    assert cancelled
    assert all(order["cancelStatus"]["cancelRequests"][0]["cancelReason"] for order in cancelled)
