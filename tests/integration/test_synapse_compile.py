"""Every model compiles for Synapse without a server, in both branches, and uses nothing that Synapse refuses.

The list of what it refuses is no parser: it holds what T-SQL lacks and people write by habit on DuckDB, and T-SQL's
reserved words. Each entry was met in a run or is in Microsoft's documentation of dedicated SQL pools.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = REPOSITORY / "dbt_project"
SHIM = REPOSITORY / "tests" / "synapse_shim"

pytest.importorskip("dbt.include.synapse", reason="dbt-synapse is an optional extra")

#: What must not be in a statement (comments, texts and quoted names left out) -> why.
REFUSED = {
    r"::": "a cast with :: (write cast)",
    r"\|\|": "|| on texts (write concat)",
    r"\blimit\b": "LIMIT (write TOP)",
    r"\bqualify\b": "QUALIFY",
    r"\bunnest\b|\blateral\b|\blambda\b|->": "list syntax",
    r"[\w\])]\[\d": "an index into a list",
    r"\btrue\b|\bfalse\b": "a boolean literal",
    r"\bboolean\b|\btimestamptz\b|\btimestamp\b|\bhugeint\b|\bdouble\b": "a type of DuckDB",
    r"\bas (?:n?varchar|n?char|decimal)\s*\)": "a type without length",
    r"\b(?:group|order)\s+by\s+\d": "a position in GROUP BY or ORDER BY",
    r"\(\s*with\s+\w+\s+as\b": "a CTE inside a CTE or derived table",
    r"\b(?:date_trunc|date_diff|strftime|split_part|regexp\w*|list_\w+|struct\w*|try\s*\()": "a function of DuckDB",
    r"\b(?:greatest|least|ilike|interval|exclude|asof|anti|semi)\b": "syntax of DuckDB",
    r"\bnulls\s+(?:first|last)\b|\bis\s+(?:not\s+)?distinct\b|\bfilter\s*\(": "standard SQL that T-SQL lacks",
    r"\bextract\s*\(|\bcurrent_date\b|\bnow\s*\(|\bsubstr\s*\(|\blength\s*\(": "a function T-SQL spells otherwise",
    r"\bstring_agg\s*\([^)]*\border\b": "ORDER BY inside STRING_AGG (write WITHIN GROUP)",
    r"\busing\s*\(|\bnatural\b": "USING or NATURAL in a join",
    r"\bfrom\s*\(\s*values\b": "VALUES as a table",
    r"\bat\s+time\s+zone\s+\w+/": "an IANA time zone",
    r"//": "whole-number division with //",
    r"\b(?:from|join)\s+[\w.\"\[\]]+\s+"
    r"(?!(?:as|on|where|inner|left|right|cross|full|join|union|group|order|having|with|and|or)\b)\w": (
        "an alias without AS"
    ),
}

#: Reserved in T-SQL and of no use in a select: used here they would be names.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        add alter authorization backup begin break browse bulk cascade check checkpoint close clustered column commit
        compute constraint contains containstable continue create current cursor database dbcc deallocate declare
        default delete deny disk double drop dump errlvl escape exec execute exit external fetch file fillfactor
        foreign freetext freetexttable function goto grant holdlock identity identitycol identity_insert if index
        insert intersect key kill lineno load merge national nocheck nonclustered of off offsets open opendatasource
        openquery openrowset openxml option percent pivot plan precision primary print proc procedure public raiserror
        read readtext reconfigure references replication restore restrict return revert revoke rowcount rowguidcol
        rule save schema securityaudit session_user set setuser shutdown some statistics system_user table tablesample
        textsize to tran transaction trigger truncate tsequal unique unpivot update updatetext use user values varying
        view waitfor while writetext
        """,
    )
)


def stripped(sql: str) -> str:
    """The statement without comments, the content of texts, and quoted or bracketed names."""
    sql = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)
    sql = re.sub(r"(at\s+time\s+zone\s+)'([^']*)'", r"\1\2", sql, flags=re.IGNORECASE)
    sql = re.sub(r"'(?:[^']|'')*'", "''", sql)
    return re.sub(r"\"[^\"]+\"|\[[a-z_]\w*\]", "named", sql, flags=re.IGNORECASE)


def problems(sql: str) -> list[str]:
    """Why Synapse would refuse the statement."""
    bare = stripped(sql)
    found = [why for pattern, why in REFUSED.items() if re.search(pattern, bare, re.IGNORECASE)]
    words = set(re.findall(r"\b[a-z_]\w*\b", bare.lower().replace("current row", "")))
    return found + [f"the reserved word {word} as a name" for word in sorted(words & RESERVED)]


@pytest.fixture(scope="module", params=["full", "incremental"])
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Compiled statements by file name, of one branch."""
    folder = tmp_path_factory.mktemp("synapse")
    # Data tests have no branches: they are compiled once.
    kinds = ["resource_type:model"] + (["resource_type:test"] if request.param == "full" else [])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RETREASURE_", "DBT_"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(SHIM), *filter(None, [environment.get("PYTHONPATH")])])
    code = "import sys; from dbt.cli.main import cli; sys.exit(cli())"
    run = subprocess.run(
        [
            *(sys.executable, "-c", code, "compile", "--quiet", "--no-populate-cache", "--no-introspect"),
            *("--target", "azure", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs"), "--log-level-file", "none"),
            *("--vars", f"compile_branch: {request.param}", "--select", *kinds),
        ],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    root = folder / "target" / "compiled" / "retreasure"
    return {str(path.relative_to(root)): path.read_text("utf-8") for path in sorted(root.rglob("*.sql"))}


def test_every_model_compiles(compiled: dict[str, str]) -> None:
    models = {path.stem for path in (PROJECT / "models").rglob("*.sql")}
    assert {Path(name).stem for name in compiled} >= models


def test_nothing_that_synapse_refuses_is_used(compiled: dict[str, str]) -> None:
    found = {name: why for name, sql in compiled.items() if (why := problems(sql))}
    assert not found, "\n".join(f"{name}: {'; '.join(why)}" for name, why in found.items())


def test_incremental_models_read_only_what_is_new(compiled: dict[str, str], request: pytest.FixtureRequest) -> None:
    branch = request.node.callspec.params["compiled"]
    bound = [name for name, sql in compiled.items() if "/stg_" in name and "ingest_date >=" in sql]
    staged = [path for path in (PROJECT / "models").rglob("stg_*.sql") if "{{ stage(" in path.read_text("utf-8")]
    assert len(bound) == (len(staged) if branch == "incremental" else 0)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("select a::int from t", "a cast with :: (write cast)"),
        ("select a from t limit 5", "LIMIT (write TOP)"),
        ("select a from t group by 1", "a position in GROUP BY or ORDER BY"),
        ("select * from (with x as (select 1 as a) select * from x) as y", "a CTE inside a CTE or derived table"),
        ("select true as a", "a boolean literal"),
        ("select list[1] as a from t", "an index into a list"),
        ("select a from t u", "an alias without AS"),
        ("with read as (select 1 as a) select a from read", "the reserved word read as a name"),
        ("select t at time zone 'Europe/Dublin' as a from s", "an IANA time zone"),
    ],
)
def test_the_list_catches_what_it_should(sql: str, why: str) -> None:
    assert why in problems(sql)


def test_the_list_lets_good_statements_through() -> None:
    sql = (
        "with a as (select cast(x as nvarchar(200)) as x, 'true::limit' as y from t as t where z = cast(1 as bit))"
        " select a.[key], \"limit\" from a cross apply openjson(a.x) with (k nvarchar(max) '$.k' as json) as j"
    )
    assert problems(sql) == []
