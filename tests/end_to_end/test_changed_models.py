"""A model whose SQL changed: the next run builds its old rows anew, says so in a line, and gold follows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.end_to_end.bad_input import receipts
from tests.end_to_end.conftest import Home, Outcome

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

_NEW_ONLY = "{% if is_incremental() %}where ingested_at > (select max(ingested_at) from {{ this }}){% endif %}"
_SEEN = """
{{{{ config(materialized='incremental', schema='silver', unique_key='natural_key') }}}}
select natural_key, ingested_at, '{word}' as word from {{{{ source('bronze', 'pos_transactions') }}}} {new_only}
"""
_TOLD = """
{{{{ config(materialized='incremental', unique_key='natural_key') }}}}
select
    natural_key,
    ingested_at,
    concat(
        word,
        case
            when (select count(*) from glob('{mark}')) = 1 then (select content from read_text('{mark}'))
            else error('gone')
        end
    ) as word
from {{{{ ref('seen') }}}} {new_only}
"""


def words(home: Home) -> dict[str, int]:
    """Rows of published gold by word."""
    return dict(home.rows("select word, count(*) from gold.told group by word"))


def anew(outcome: Outcome) -> list[str]:
    """What the run said of building anew."""
    return [line for line in outcome.out.splitlines() if "built anew" in line]


def test_old_rows_follow_a_changed_model_and_only_then(home: Home, small_build: Path, tmp_path: Path) -> None:
    project, mark = tmp_path / "dbt_project", tmp_path / "mark.txt"
    shutil.copytree(small_build, project, ignore=shutil.ignore_patterns("target"))
    home.settings["RETREASURE_DBT_PROJECT"] = str(project)
    seen, told = project / "models" / "silver" / "seen.sql", project / "models" / "gold" / "told.sql"
    seen.parent.mkdir()
    seen.write_text(_SEEN.format(word="one", new_only=_NEW_ONLY))
    told.write_text(_TOLD.format(mark=mark, new_only=_NEW_ONLY))
    mark.write_text("!")
    home.drop("pos/transactions/a.csv", receipts(0, 5))
    first = home.run()
    assert first.code == 0, first.out + first.err
    assert (anew(first), words(home)) == ([], {"one!": 5})

    # The change alone, without a new record, is enough. What reads the changed model cannot be built this time.
    seen.write_text(_SEEN.format(word="two", new_only=_NEW_ONLY))
    mark.unlink()
    broken = home.run()
    assert broken.code != 0
    assert anew(broken) == ["The models have changed since the last build: 2 tables are built anew from bronze."]
    assert dict(home.rows("select word, count(*) from silver.seen group by word")) == {"two": 5}
    assert words(home) == {"one!": 5}

    # It stays outdated until it can be; the other is not built anew again.
    mark.write_text("?")
    home.drop("pos/transactions/b.csv", receipts(5, 2))
    mended = home.run()
    assert mended.code == 0, mended.out + mended.err
    assert anew(mended) == ["The models have changed since the last build: 1 table is built anew from bronze."]
    assert words(home) == {"two?": 7}

    # Words about a model are no change: new rows alone are added to what is there.
    (project / "models" / "told.yml").write_text(
        "version: 2\nmodels: [{name: told, description: What is told.}]\n", "utf-8"
    )
    mark.write_text(".")
    home.drop("pos/transactions/c.csv", receipts(7, 1))
    last = home.run()
    assert last.code == 0, last.out + last.err
    assert (anew(last), words(home)) == ([], {"two?": 7, "two.": 1})
