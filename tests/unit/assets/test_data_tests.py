"""A data test that fails says which column or rule is broken, in how many rows, and nothing of what is in them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg

from retreasure_assets.assets.dbt import _check_result
from retreasure_assets.lake.warehouse import open_warehouse
from retreasure_assets.resources.dbt import NodeResult, _result
from retreasure_assets.settings import Settings

#: As dbt compiles `sound` for a table of a key and a channel.
STATEMENT = """
select judged.broken_rule
from (
    select
        case when order_id is null then 'order_id is missing'
            when channel not in ('etsy', 'ebay') then 'channel has an unknown value' end as broken_rule
    from silver.orders
) as judged
where judged.broken_rule is not null
union all
select 'order_id comes twice' as broken_rule from silver.orders group by order_id having count(*) > 1
"""


def outcome(settings: Settings, kind: str | None, failures: int) -> NodeResult:
    node: dict[str, Any] = {
        "unique_id": "test.retreasure.orders_is_sound",
        "name": "orders_is_sound",
        "resource_type": "test",
        "compiled_code": STATEMENT,
    }
    if kind is not None:
        node["test_metadata"] = SimpleNamespace(name=kind)
    told = {"status": "fail", "execution_time": 0.1, "failures": failures, "message": f"Got {failures} results"}
    return _result(settings, SimpleNamespace(node=SimpleNamespace(**node), **told))


def test_a_check_names_what_is_broken(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute("CREATE SCHEMA silver")
        engine.execute(
            "CREATE TABLE silver.orders AS SELECT * FROM (VALUES "
            "('1', 'etsy'), ('1', 'Jane Doe'), ('2', 'Jane Doe'), (NULL, 'ebay')) AS rows (order_id, channel)"
        )
    key = dg.AssetCheckKey(dg.AssetKey(["silver", "orders"]), "orders_is_sound")
    check = _check_result(outcome(settings, "sound", 4), key)
    assert not check.passed
    told = "channel has an unknown value: 2 rows; order_id comes twice: 1 row; order_id is missing: 1 row"
    assert (check.description, check.metadata["summary"].value) == (told, told)
    assert check.metadata["dagster_dbt/failed_row_count"].value == 4
    # Of any other test, such as one that is a file of its own, the number of rows is all that is told.
    for kind in ("has_parent", None):
        assert _check_result(outcome(settings, kind, 4), key).description is None
