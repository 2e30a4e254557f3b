"""The clickstream's files: for every UTC day one of Segment's calls and one of Shopify's web-pixel events.

What belongs here: layouts, names and writing them whole. What does not: what visitors do (``world_clicks``).

A day's files hold what was told on that day, in the order in which it was told, and appear when the day is over. A
Segment call carries three clocks: the browser's when it happened and when it was sent, and Segment's own when it came;
a browser's clock that is wrong is wrong in both, so that Segment's rule (timestamp = receivedAt - (sentAt -
originalTimestamp), https://segment.com/docs/connections/spec/common/) puts it right. A pixel event has the time alone.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from retreasure_assets.sandbox.till import write_whole
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_clicks import Click, clicks

_ORIGIN = "https://shop.retreasure.example"
#: Canonical word -> Segment's (https://segment.com/docs/connections/spec/ecommerce/v2/).
_SEGMENT = {
    "product_viewed": "Product Viewed",
    "product_added_to_cart": "Product Added",
    "cart_viewed": "Cart Viewed",
    "checkout_started": "Checkout Started",
    "checkout_completed": "Order Completed",
}

Json = dict[str, Any]


def write_click_files(world: World, drop: Path) -> list[Path]:
    """Write all files of ``world`` below ``drop/clickstream/events``; return those that were new or had changed."""
    files: dict[tuple[date, str], list[tuple[datetime, str, Json]]] = {}
    for click in clicks(world):
        for told_at in click.known_at:
            kind = "pixel" if click.visitor.pixel else "segment"
            payload = pixel_event(click) if click.visitor.pixel else segment_call(click, told_at)
            files.setdefault((told_at.date(), kind), []).append((told_at, click.event_id, payload))
    written = []
    for (day, kind), told in sorted(files.items(), key=lambda entry: entry[0]):
        if day < world.clock.date():
            told.sort(key=lambda entry: entry[:2])
            lines = [json.dumps(payload, ensure_ascii=False) for _, _, payload in told]
            path = drop / "clickstream" / "events" / f"{kind}_{day.isoformat()}.jsonl"
            if write_whole(path, ("\n".join(lines) + "\n").encode()):
                written.append(path)
    return written


def segment_call(click: Click, told_at: datetime) -> Json:
    """A click as Segment hands on its track, page and identify calls."""
    visitor, (referrer, source, medium, campaign) = click.visitor, click.way
    page = {"path": click.path, "url": _ORIGIN + click.path, "referrer": referrer or "", "title": "ReTreasure"}
    context: Json = {
        "ip": visitor.ip,
        "userAgent": visitor.agent,
        "locale": "en-IE",
        "library": {"name": "analytics.js", "version": "next-1.82.0"},
        "page": page,
    }
    if source:
        context["campaign"] = {"source": source, "medium": medium, "name": campaign}
    call: Json = {
        "messageId": click.event_id,
        "anonymousId": visitor.anonymous_id,
        "userId": click.user_id,
        "context": context,
        "originalTimestamp": _milliseconds(click.at + visitor.skew),
        "sentAt": _milliseconds(told_at + visitor.skew),
        "receivedAt": _milliseconds(told_at),
        "timestamp": _milliseconds(click.at),
    }
    if click.name == "page_viewed":
        return call | {"type": "page", "name": "Page", "properties": page}
    if click.name == "identified":
        return call | {"type": "identify", "traits": {"email": click.email}}
    properties: Json = {}
    if click.item is not None:
        properties = {"sku": click.item.item_id, "name": click.item.title, "category": click.item.category}
    if click.order is not None:
        order = click.order
        properties = {
            "order_id": str(order.order_id),
            "total": float(order.total),
            "currency": order.currency,
            "products": [{"sku": line.item_id, "quantity": line.quantity} for line in order.lines],
        }
    return call | {"type": "track", "event": _SEGMENT[click.name], "properties": properties}


def pixel_event(click: Click) -> Json:
    """A click as Shopify's web pixels publish it (https://shopify.dev/docs/api/web-pixels-api/standard-events)."""
    visitor, (referrer, source, medium, campaign) = click.visitor, click.way
    search = f"?utm_source={source}&utm_medium={medium}&utm_campaign={campaign}" if source else ""
    data: Json = {}
    if click.item is not None:
        variant = {"id": str(click.item.number), "sku": click.item.item_id, "product": {"title": click.item.title}}
        added = click.name == "product_added_to_cart"
        data = {"cartLine": {"quantity": 1, "merchandise": variant}} if added else {"productVariant": variant}
    if click.order is not None:
        order = click.order
        data = {
            "checkout": {
                "order": {"id": f"gid://shopify/OrderIdentity/{order.order_id}"},
                "email": order.email,
                "phone": order.phone,
                "currencyCode": order.currency,
                "totalPrice": {"amount": float(order.total), "currencyCode": order.currency},
                "lineItems": [{"variant": {"sku": line.item_id}, "quantity": line.quantity} for line in order.lines],
            }
        }
    return {
        "id": click.event_id,
        "name": click.name,
        "type": "standard",
        "clientId": visitor.anonymous_id,
        "timestamp": _milliseconds(click.at),
        "context": {
            "document": {
                "location": {"href": _ORIGIN + click.path + search, "pathname": click.path, "search": search},
                "referrer": referrer or "",
                "title": "ReTreasure",
            },
            "navigator": {"language": "en-IE", "userAgent": visitor.agent},
        },
        "data": data,
    }


def _milliseconds(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
