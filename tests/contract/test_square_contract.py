"""Square's requests, declarations, silver and sandbox against the published OpenAPI contract (2025-08-20)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from retreasure_assets.entities import Entity, Mask, Window
from retreasure_assets.privacy.masking import Masker
from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.square import SQUARE_TOKEN
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world
from retreasure_assets.sources.square import ENTITIES, SquareConnector
from retreasure_assets.sources.square.client import API_VERSION
from retreasure_assets.sources.square.connector import SCOPES

Json = dict[str, Any]

DBT = Path(__file__).resolve().parents[2] / "dbt_project"

#: Each entity's schema, the response that lists it and its field there.
SCHEMAS: Mapping[str, tuple[str, str, str]] = {
    "orders": ("Order", "SearchOrdersResponse", "orders"),
    "payments": ("Payment", "ListPaymentsResponse", "payments"),
    "refunds": ("PaymentRefund", "ListPaymentRefundsResponse", "refunds"),
    "customers": ("Customer", "SearchCustomersResponse", "customers"),
    "locations": ("Location", "ListLocationsResponse", "locations"),
    "catalog_objects": ("CatalogObject", "SearchCatalogObjectsResponse", "objects"),
    "inventory_counts": ("InventoryCount", "BatchRetrieveInventoryCountsResponse", "counts"),
    "payouts": ("Payout", "ListPayoutsResponse", "payouts"),
    "payout_entries": ("PayoutEntry", "ListPayoutEntriesResponse", "payout_entries"),
}


class Contract:
    """The OpenAPI document."""

    def __init__(self, document: Json) -> None:
        self.paths: Json = document["paths"]
        self.schemas: Json = document["components"]["schemas"]

    def resolve(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def field(self, schema: Json, path: str) -> Json:
        """The schema at a dotted path; ``[]`` steps into a list. KeyError where there is none."""
        for part in path.split("."):
            name = part.removesuffix("[]")
            schema = self.resolve(schema)
            if "properties" not in schema and schema.get("type") == "object":
                schema = self.resolve(schema.get("additionalProperties") or {"type": "any"})
            else:
                schema = self.resolve(schema["properties"][name])
            if part.endswith("[]"):
                assert schema["type"] == "array", path
                schema = schema["items"]
        return self.resolve(schema)

    def problems(self, value: Any, schema: Json, at: str = "$") -> Iterator[str]:
        """What in ``value`` is not as the schema says: types, required and unknown fields, enums, lengths, bounds."""
        schema = self.resolve(schema)
        kind = schema.get("type")
        if kind == "object" and "properties" in schema:
            if not isinstance(value, dict):
                yield f"{at} is no object"
                return
            for name in schema.get("required", ()):
                if name not in value:
                    yield f"{at} lacks {name}"
            for name, inner in value.items():
                if name not in schema["properties"]:
                    yield f"{at} has an unknown {name}"
                else:
                    yield from self.problems(inner, schema["properties"][name], f"{at}.{name}")
        elif kind == "array":
            if not isinstance(value, list):
                yield f"{at} is no list"
                return
            for item in value:
                yield from self.problems(item, schema["items"], f"{at}[]")
        elif kind == "string":
            if not isinstance(value, str):
                yield f"{at} is no text"
            elif "enum" in schema and value not in schema["enum"]:
                yield f"{at} is none of the values allowed"
            elif not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 1 << 30):
                yield f"{at} has a length of {len(value)}"
        elif kind in ("integer", "number"):
            right = isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
            if not right:
                yield f"{at} is no {kind}"
            elif not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                yield f"{at} is out of bounds"
        elif kind == "boolean" and not isinstance(value, bool):
            yield f"{at} is no truth value"


@pytest.fixture(scope="module")
def contract(contracts: Path) -> Contract:
    return Contract(json.loads((contracts / "square" / "square_api_2025-08.json").read_text()))


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world(WorldSpec(seed=5, days=30, scale=0.3))


class Recorded:
    """Passes requests on to a sandbox and keeps them with their answers."""

    def __init__(self) -> None:
        self.exchanges: list[tuple[httpx.Request, httpx.Response]] = []
        self._transport = httpx.HTTPTransport()

    def handle(self, request: httpx.Request) -> httpx.Response:
        answer = self._transport.handle_request(request)
        answer.read()
        self.exchanges.append((request, answer))
        return httpx.Response(answer.status_code, content=answer.content)


@pytest.fixture(scope="module")
def exchanges(world: World) -> list[tuple[httpx.Request, httpx.Response]]:
    """Everything that the connector asks the sandbox: all entities, first sync and the next, a window, the check."""
    recorded = Recorded()
    with running_sandbox(world) as url:
        connector = SquareConnector(token=SQUARE_TOKEN, base_url=url, transport=httpx.MockTransport(recorded.handle))
        assert connector.check() == []
        for entity in connector.entities.values():
            batches = list(connector.batches(entity, None, Window()))
            assert batches, entity.name
            list(connector.batches(entity, batches[-1].cursor, Window()))
            list(connector.batches(entity, None, Window(world.clock.replace(day=1), world.clock)))
    return recorded.exchanges


def operation(contract: Contract, request: httpx.Request) -> Json:
    path = urlsplit(str(request.url)).path
    for template, operations in contract.paths.items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and request.method.lower() in operations:
            found: Json = operations[request.method.lower()]
            return found
    raise AssertionError(f"no such operation: {request.method} {path}")


def test_every_request_is_valid_by_the_contract(
    contract: Contract, exchanges: Sequence[tuple[httpx.Request, httpx.Response]]
) -> None:
    assert len(exchanges) > 40
    for request, _ in exchanges:
        asked = operation(contract, request)
        assert request.headers["square-version"] == API_VERSION == "2025-08-20"
        assert request.headers["authorization"] == f"Bearer {SQUARE_TOKEN}"
        parameters = {each["name"]: each for each in asked.get("parameters", ()) if each["in"] == "query"}
        for name, text in request.url.params.items():
            schema = contract.resolve(parameters[name]["schema"])
            value: Any = int(text) if schema["type"] == "integer" else text
            assert list(contract.problems(value, schema, name)) == []
        for name, parameter in parameters.items():
            assert not parameter.get("required") or name in request.url.params
        if "requestBody" in asked:
            body = json.loads(request.content)
            schema = asked["requestBody"]["content"]["application/json"]["schema"]
            assert list(contract.problems(body, schema)) == []
        else:
            assert not request.content


def test_limits_that_the_contract_states_in_words_are_kept(
    exchanges: Sequence[tuple[httpx.Request, httpx.Response]],
) -> None:
    seen = set()
    for request, _ in exchanges:
        path = request.url.path
        body = json.loads(request.content) if request.content else {}
        if path == "/v2/orders/search":
            assert 1 <= len(body["location_ids"]) <= 10
            assert body["limit"] <= 1000
            # The sort must go with the filter.
            assert list(body["query"]["filter"]["date_time_filter"]) == ["updated_at"]
            assert body["query"]["sort"]["sort_field"] == "UPDATED_AT"
        elif path == "/v2/payments":
            # Without them Square looks at the main location and the last year alone.
            assert {"location_id", "begin_time", "updated_at_begin_time"} <= set(request.url.params)
            assert int(request.url.params["limit"]) <= 100
        elif path == "/v2/refunds":
            assert "begin_time" in request.url.params
        elif path == "/v2/payouts":
            assert {"location_id", "begin_time"} <= set(request.url.params)
        seen.add(path)
    assert {"/v2/orders/search", "/v2/payments", "/v2/refunds", "/v2/payouts"} <= seen


def test_scopes_are_those_of_the_contract(
    contract: Contract, exchanges: Sequence[tuple[httpx.Request, httpx.Response]]
) -> None:
    needed = set()
    for request, _ in exchanges:
        for method in operation(contract, request).get("security", ()):
            needed.update(method.get("oauth2", ()))
    # The contract names the payouts' scope in words only: "To call this endpoint, set PAYOUTS_READ".
    assert needed | {"PAYOUTS_READ"} == set(SCOPES.values())
    assert set(SCOPES) == set(ENTITIES)


def test_every_answer_of_the_sandbox_is_valid_by_the_contract(
    contract: Contract, exchanges: Sequence[tuple[httpx.Request, httpx.Response]]
) -> None:
    for request, answer in exchanges:
        schema = operation(contract, request)["responses"]["200"]["content"]["application/json"]["schema"]
        assert list(contract.problems(answer.json(), schema)) == [], request.url.path


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=lambda entity: entity.name)
def test_every_declared_path_is_in_the_contract(contract: Contract, entity: Entity) -> None:
    schema = contract.schemas[SCHEMAS[entity.name][0]]
    paths = [*entity.natural_key, *entity.masks, *(identity.path for identity in entity.identities)]
    if entity.updated_at is not None:
        paths.append(entity.updated_at)
    for path in paths:
        # In the contract's examples, not in its schema.
        if not path.endswith("card.bin"):
            contract.field(schema, path)


#: Names of fields that hold something about a person, wherever they are.
PERSONAL = re.compile(
    r"(^|\.)(given_name|family_name|first_name|last_name|nickname|company_name|display_name|cardholder_name|"
    r"buyer_full_name|email_address|buyer_email_address|phone_number|address_line_[123]|locality|sublocality\w*|"
    r"postal_code|birthday|note|shipping_note|dropoff_notes|last_4|fingerprint|buyer_cashtag|ticket_name|metadata)$"
)


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=lambda entity: entity.name)
def test_every_personal_field_of_the_contract_is_masked(contract: Contract, entity: Entity) -> None:
    if entity.name in ("locations", "catalog_objects", "inventory_counts"):
        # The seller's own places and goods.
        assert not entity.personal
        return
    for path in _leaves(contract, contract.schemas[SCHEMAS[entity.name][0]]):
        if PERSONAL.search(path.replace("[]", "")):
            parts = path.split(".")
            above = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
            assert above & set(entity.masks), path


def _leaves(contract: Contract, schema: Json, at: str = "", depth: int = 0) -> Iterator[str]:
    schema = contract.resolve(schema)
    if depth > 7:
        return
    if schema.get("type") == "array":
        yield from _leaves(contract, schema["items"], f"{at}[]", depth)
    elif schema.get("properties"):
        for name, inner in schema["properties"].items():
            yield from _leaves(contract, inner, f"{at}.{name}" if at else name, depth + 1)
    else:
        yield at


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_example_of_the_contract_is_read(contract: Contract, name: str) -> None:
    _, response, field = SCHEMAS[name]
    example = contract.schemas[response].get("example")
    if not example or field not in example:
        assert name in ("orders", "customers"), "the contract has an example now"
        example = _other_example(contract, name)
        field = next(iter(example))
    entity = ENTITIES[name]
    masker = Masker(entity.masks, [*entity.natural_key], b"k" * 32)
    assert example[field]
    for record in example[field]:
        captured, payload = masker(json.dumps(record).encode())
        assert all(captured)
        masked = json.loads(payload)
        assert masked.keys() == record.keys()
        if name == "payments":
            assert masked["note"] is None
            assert masked["card_details"]["card"]["last_4"] is None
            assert masked["processing_fee"] == record["processing_fee"]


def _other_example(contract: Contract, name: str) -> Json:
    if name == "orders":
        return {"orders": contract.schemas["BatchRetrieveOrdersResponse"]["example"]["orders"]}
    return {"customers": [contract.schemas["CreateCustomerResponse"]["example"]["customer"]]}


def test_every_field_that_silver_reads_is_in_the_contract(contract: Contract) -> None:
    macros = (DBT / "macros" / "staging" / "square_fields.sql").read_text()
    lists = dict(re.findall(r"macro (square_\w+_fields)\(\) -%}(.*?)endmacro", macros, re.DOTALL))
    read = 0

    def check(text: str, schema: Json) -> None:
        nonlocal read
        for path, kind, inner in re.findall(r"\['\w+', '([\w.]+)', '(\w+)'(?:, (square_\w+_fields)\(\))?", text):
            found = contract.field(schema, path)
            read += 1
            if kind == "list":
                assert found["type"] == "array", path
                check(lists[inner], found["items"])

    for name, (schema_name, _, _) in SCHEMAS.items():
        model = (DBT / "models" / "silver" / "square" / f"stg_square__{name}.sql").read_text()
        model = model.partition("stage(")[2]
        check(model, contract.schemas[schema_name])
    assert read > 100


def test_an_unknown_enum_value_survives_masking() -> None:
    entity = ENTITIES["orders"]
    record = {"id": "O1", "state": "SOMETHING_NEW", "tenders": [{"type": "BARTER", "note": "for Jane"}]}
    _, payload = Masker(entity.masks, ["id"], b"k" * 32)(json.dumps(record).encode())
    assert json.loads(payload) == {"id": "O1", "state": "SOMETHING_NEW", "tenders": [{"type": "BARTER", "note": None}]}
    assert entity.masks["tenders[].note"] is Mask.REDACT
