"""Channels that go wrong, one down, one poisoned, one that changed its form: the others go on, the next run heals."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest

from retreasure_assets.sandbox.server import Handling, environment, read_faults, running_sandbox
from retreasure_assets.sandbox.world import WorldSpec, generate_world
from tests.end_to_end.conftest import Home, Outcome, answering

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

EARLIER, LATER = WorldSpec(seed=6, days=10, scale=0.3), WorldSpec(seed=6, days=14, scale=0.3)
#: eBay is down, and most of what the web shop says cannot be read.
BAD = "ebay:503=100%,shopify:null=60%"


def orders(home: Home) -> dict[str, tuple[object, ...]]:
    """Channel -> orders, and what they come to."""
    rows = home.rows(
        "select channel, count(*), count(distinct order_id), sum(total_amount) from gold.fct_orders group by channel"
    )
    return {row[0]: row[1:] for row in rows}


def told(outcome: Outcome) -> str:
    return outcome.out[-3000:] + outcome.err[-3000:]


@contextmanager
def renaming(url: str, old: bytes, new: bytes) -> Iterator[str]:
    """An API that calls a field by another name from today on."""
    with httpx.Client(base_url=url, timeout=30) as upstream:

        def ask(path: str, headers: Mapping[str, str], asked: bytes) -> tuple[int, bytes]:
            kept = {name: text for name, text in headers.items() if name.lower() not in ("host", "accept-encoding")}
            answer = upstream.request("POST" if asked else "GET", path, content=asked, headers=kept)
            return answer.status_code, answer.content.replace(b'"%s":' % old, b'"%s":' % new)

        with answering(ask) as between:
            yield between


def test_bad_channels_stop_no_other_and_heal_by_themselves(
    home: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running_sandbox(generate_world(EARLIER)) as url:
        home.settings.update(environment(url))
        outcome = home.run()
    assert outcome.code == 0, told(outcome)
    before = orders(home)

    later = generate_world(LATER)
    with (
        running_sandbox(later, handling=Handling(read_faults(BAD))) as url,
        renaming(url, b"grandtotal", b"grand_total") as etsy,
    ):
        home.settings.update(environment(url))
        home.settings["RETREASURE_ETSY_URL"] = home.settings["RETREASURE_ETSY_URL"].replace(url, etsy)
        outcome = home.run()
    assert outcome.code == 3, told(outcome)
    assert "bronze.etsy_receipts is withheld" in outcome.out
    assert "bronze.shopify_orders is withheld" in outcome.out
    after = orders(home)
    # Square went on; of the others the last good state stands.
    assert after["pos"] != before["pos"]
    assert {channel: after[channel] for channel in ("shopify", "etsy", "ebay")} == {
        channel: before[channel] for channel in ("shopify", "etsy", "ebay")
    }

    # The time for which eBay is left alone has passed.
    shutil.rmtree(home.path / "lake" / "_state" / "circuits")
    with running_sandbox(later) as url:
        home.settings.update(environment(url))
        outcome = home.run()
    assert outcome.code == 0, told(outcome)
    assert "withheld" not in outcome.out
    healed = orders(home)
    assert home.rows("select count(*) from ops.quarantine_log where status = 'closed'") > [(0,)]

    straight = Home(tmp_path_factory.mktemp("straight") / "home")
    with running_sandbox(later) as url:
        straight.settings.update(environment(url))
        outcome = straight.run()
    assert outcome.code == 0, told(outcome)
    assert healed == orders(straight)
