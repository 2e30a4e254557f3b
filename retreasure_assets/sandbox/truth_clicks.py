"""The sessions that the world's visits really make.

What belongs here: what gold.fct_sessions must arrive at. What does not: how files are read; nothing here looks at them.

A session is a visitor's events without a pause of more than 30 minutes between one and the next.
"""

from __future__ import annotations

from datetime import timedelta

from retreasure_assets.sandbox.truth_ledger import Row, business_date, utc
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_clicks import Click, clicks

#: A word of the agents of the world's browsers -> what they run on.
_DEVICES = {"iPhone": "phone", "Android": "tablet"}
#: The world's campaign sources, and pages that lead to the shop without one -> marketing channel.
_BRINGS = {"newsletter": "email", "instagram": "social", "google": "paid_search", "facebook": "paid_social"}
_LEADS = {None: "direct", "https://www.google.com/": "organic_search"}

PAUSE = timedelta(minutes=30)

_PIECE = ("product_viewed", "product_added_to_cart")
_CART = ("product_added_to_cart", "cart_viewed")


def sessions(world: World) -> list[Row]:
    """One row for every session of which anything was told before the world's clock; machines' sessions too."""
    by_visitor: dict[str, list[Click]] = {}
    for click in clicks(world):
        by_visitor.setdefault(click.visitor.anonymous_id, []).append(click)
    rows = []
    for visits in by_visitor.values():
        visits.sort(key=lambda click: click.at)
        session: list[Click] = []
        for click in visits:
            if session and click.at - session[-1].at > PAUSE:
                rows.append(_session(session))
                session = []
            session.append(click)
        rows.append(_session(session))
    return rows


def _session(session: list[Click]) -> Row:
    first, last = session[0], session[-1]
    names = [click.name for click in session]
    pages = names.count("page_viewed")
    duration = int((last.at - first.at).total_seconds())
    orders = sorted({str(click.order.order_id) for click in session if click.order is not None})
    return {
        # The platform's id follows from the visitor's pseudonym; this is what it can be told by from outside.
        "_visitor": first.visitor.anonymous_id,
        "started_at": utc(first.at),
        "ended_at": utc(last.at),
        "business_date": business_date(first.at).isoformat(),
        "duration_seconds": duration,
        "event_count": len(session),
        "page_views": pages,
        "is_bot": first.visitor.machine,
        "device": _device(first),
        "marketing_channel": _brought_by(session),
        "is_product_view": any(name in _PIECE for name in names),
        "is_bounce": len({click.path for click in session}) == 1 and duration < 10,
        "is_cart": any(name in _CART for name in names),
        "is_checkout": "checkout_started" in names or "checkout_completed" in names,
        "is_purchase": bool(orders),
        "order_count": len(orders),
        "order_id": orders[0] if orders else None,
        "utm_source": next((click.way[1] for click in session if click.way[1]), None),
        "_campaign": next((click.way[3] for click in session if click.way[1]), None),
    }


def _device(click: Click) -> str:
    if click.visitor.machine:
        return "machine"
    return next((device for word, device in _DEVICES.items() if word in click.visitor.agent), "desktop")


def _brought_by(session: list[Click]) -> str:
    """What led here: the first campaign that is named, else the page before the first one."""
    source = next((click.way[1] for click in session if click.way[1]), None)
    return _BRINGS[source] if source is not None else _LEADS[session[0].way[0]]
