"""What Square's endpoints take: request bodies, their parts, and the refusal of anything else.

What belongs here: shapes and values. What does not: what is found with them (``square``, ``square_pages``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec


class RefusalError(Exception):
    """An answer that is an error of Square's."""

    def __init__(self, code: str, detail: str, field: str | None = None, status: int = 400) -> None:
        super().__init__(detail)
        category = {401: "AUTHENTICATION_ERROR", 429: "RATE_LIMIT_ERROR"}.get(status, "INVALID_REQUEST_ERROR")
        error = {"category": category, "code": code, "detail": detail}
        self.body = {"errors": [error if field is None else {**error, "field": field}]}
        self.status = status


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    """A request body that knows no other fields."""


class Range(Strict):
    """A period, both ends included."""

    start_at: str | None = None
    end_at: str | None = None


class OrderTimes(Strict):
    """By which of an order's times is filtered."""

    created_at: Range | None = None
    updated_at: Range | None = None
    closed_at: Range | None = None


class States(Strict):
    """States of orders."""

    states: list[Literal["OPEN", "COMPLETED", "CANCELED", "DRAFT"]]


class OrderFilter(Strict):
    """Which orders."""

    date_time_filter: OrderTimes | None = None
    state_filter: States | None = None


class OrderSort(Strict):
    """In which order."""

    sort_field: Literal["CREATED_AT", "UPDATED_AT", "CLOSED_AT"]
    sort_order: Literal["ASC", "DESC"] = "DESC"


class OrderQuery(Strict):
    """Which orders, and in which order."""

    filter: OrderFilter | None = None
    sort: OrderSort | None = None


class SearchOrders(Strict):
    """POST /v2/orders/search."""

    location_ids: list[str] = []
    query: OrderQuery | None = None
    limit: int = 500
    cursor: str | None = None
    return_entries: bool = False


class SearchCatalog(Strict):
    """POST /v2/catalog/search."""

    object_types: list[str] = []
    begin_time: str | None = None
    include_deleted_objects: bool = False
    include_related_objects: bool = False
    limit: int | None = None
    cursor: str | None = None


class SearchCounts(Strict):
    """POST /v2/inventory/counts/batch-retrieve."""

    catalog_object_ids: list[str] | None = None
    location_ids: list[str] | None = None
    updated_after: str | None = None
    states: list[str] | None = None
    limit: int = 100
    cursor: str | None = None


class CustomerFilter(Strict):
    """Which customers."""

    created_at: Range | None = None
    updated_at: Range | None = None


class CustomerSort(Strict):
    """In which order."""

    field: Literal["DEFAULT", "CREATED_AT"] = "DEFAULT"
    order: Literal["ASC", "DESC"] = "ASC"


class CustomerQuery(Strict):
    """Which customers, and in which order."""

    filter: CustomerFilter | None = None
    sort: CustomerSort | None = None


class SearchCustomers(Strict):
    """POST /v2/customers/search."""

    query: CustomerQuery | None = None
    limit: int = 100
    cursor: str | None = None
    count: bool = False


def decoded(body: bytes, shape: type[Any]) -> Any:
    """A request's body.

    Raises:
        RefusalError: it is no JSON, or has another form than the documented one.
    """
    try:
        return msgspec.json.decode(body or b"{}", type=shape)
    except msgspec.ValidationError as error:
        code = "UNKNOWN_BODY_PARAMETER" if "unknown field" in str(error) else "INVALID_VALUE"
        raise RefusalError(code, "The request body does not have the documented form.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RefusalError("EXPECTED_JSON_BODY", "The request body is not JSON.") from None


def moment(text: str | None, field: str) -> datetime | None:
    """A time that was given, in UTC.

    Raises:
        RefusalError: it is none, or has no zone.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RefusalError("INVALID_TIME", "The time is not in RFC 3339 format.", field) from None
    if found.tzinfo is None:
        raise RefusalError("INVALID_TIME", "The time has no zone.", field)
    return found.astimezone(UTC)


def whole(text: str | None, default: int) -> int:
    """A limit; what is none is ignored, as Square does."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and int(text) > 0 else default
