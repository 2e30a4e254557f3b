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
from types import SimpleNamespace

import pytest
from jinja2 import Environment

from retreasure_assets.lake.person_links import SCHEMA

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
    r"\b(?:date_trunc|date_diff|strftime|strptime|split_part|regexp\w*|list_\w+|struct\w*|try\s*\(|epoch\w*\s*\()": (
        "a function of DuckDB"
    ),
    r"\b(?:bool_or|bool_and|any_value|arg_max|arg_min|max_by|min_by|median|quantile\w*|mode|product)\s*\(": (
        "an aggregate of DuckDB"
    ),
    r"\b(?:ifnull|nvl|if|md5|sha256|to_timestamp|json_extract\w*|generate_series|range)\s*\(": "a function T-SQL lacks",
    r"\b(?:group|order)\s+by\s+all\b|\bdistinct\s+on\b|\bselect\s+\*\s*(?:replace|rename)\b": "a shorthand of DuckDB",
    r"\bwith\s+recursive\b": "a recursive CTE",
    r"\bmerge\s+into\b": "MERGE (refused on ROUND_ROBIN tables)",
    r"\bnvarchar\s*\(\s*(?:4\d{3}(?<!4000)|[5-9]\d{3}|\d{5,})|\bvarchar\s*\(\s*(?:8\d{3}(?<!8000)|9\d{3}|\d{5,})": (
        "a text longer than its type holds"
    ),
    r"(?:\b(?:where|and|or|on|when|not|having)|\()\s*\(\s*[\w.]+\s*,[^()]*\)\s*(?:=|in\s*\(|<>|>|<)": (
        "a comparison of rows"
    ),
    r"==|<=>": "an operator T-SQL lacks",
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
    code = """
from pathlib import Path
from dbt.cli.main import cli
from retreasure_assets.resources.dbt_shortcuts import shortcuts
with shortcuts(Path("templates.bin")):
    cli()
"""
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
    reading = {name for name, sql in compiled.items() if "/stg_" in name and " as bronze" in sql}
    bound = {name for name in reading if "ingest_date >=" in compiled[name]}
    assert len(reading) > 20
    assert bound == (reading if branch == "incremental" else set())


def test_synapse_reads_who_is_who_in_the_lake() -> None:
    """What runs before the models there: a view of the table that the platform writes (lake/person_links.py)."""
    macros = Environment(autoescape=False, extensions=["jinja2.ext.do"]).from_string(
        (PROJECT / "macros" / "person_links.sql").read_text("utf-8"),
        globals={"env_var": {"RETREASURE_LAKE_URL": "https://shop.dfs.core.windows.net/lake"}.get},
    )
    relation = SimpleNamespace(schema="ops", identifier="vault_links")
    sql = " ".join(macros.module.fabric__create_vault_links(relation).split())  # type: ignore[attr-defined]
    once, statement = re.fullmatch(r"if object_id\('(.+?)'\) is null exec\(' (.+) '\)", sql).groups()  # type: ignore[union-attr]
    assert once == "ops.vault_links"
    # A view is made by a statement of its own, and reads what the lake's table has, column by column.
    view, files = statement.replace("''", "'").split(" from openrowset( bulk ")
    assert view == "create view ops.vault_links as select links.person_id, links.merged_into, links.linked_at"
    address, columns = files.split(", format = 'delta' ) with ")
    assert address == "'https://shop.dfs.core.windows.net/lake/ops/vault_links'"
    assert re.findall(r"(\w+) (?:varchar|datetime2)", columns) == SCHEMA.names


#: One statement with each thing that is refused -> why.
PLANTED = {
    "select a::int from t": "a cast with :: (write cast)",
    "select a || b as c from t": "|| on texts (write concat)",
    "select a from t limit 5": "LIMIT (write TOP)",
    "select a from t where 1 = 1 qualify row_number() over (order by a) = 1": "QUALIFY",
    "select unnest(a) as b from t": "list syntax",
    "select list_transform(a, lambda x: x + 1) as b from t": "list syntax",
    "select list[1] as a from t": "an index into a list",
    "select true as a": "a boolean literal",
    "select a from t where b = FALSE": "a boolean literal",
    "select cast(a as boolean) as b from t": "a type of DuckDB",
    "select cast(a as timestamptz) as b from t": "a type of DuckDB",
    "select cast(a as nvarchar) as b from t": "a type without length",
    "select a from t group by 1": "a position in GROUP BY or ORDER BY",
    "select a from t order by 2 desc": "a position in GROUP BY or ORDER BY",
    "select * from (with x as (select 1 as a) select * from x) as y": "a CTE inside a CTE or derived table",
    "with a as (with b as (select 1 as x) select * from b) select * from a": "a CTE inside a CTE or derived table",
    "select date_trunc('week', a) as b from t": "a function of DuckDB",
    "select epoch_ms(a) as b from t": "a function of DuckDB",
    "select any_value(a) as b from t": "an aggregate of DuckDB",
    "select quantile_cont(a, 0.5) as b from t": "an aggregate of DuckDB",
    "select md5(a) as b from t": "a function T-SQL lacks",
    "select a, count(*) as b from t group by all": "a shorthand of DuckDB",
    "select distinct on (a) a, b from t": "a shorthand of DuckDB",
    "with recursive a as (select 1 as x union all select x + 1 from a) select * from a": "a recursive CTE",
    "merge into t using s on t.a = s.a": "MERGE (refused on ROUND_ROBIN tables)",
    "select cast(a as nvarchar(4001)) as b from t": "a text longer than its type holds",
    "select cast(a as varchar(8001)) as b from t": "a text longer than its type holds",
    "select a from t where (a, b) in (select a, b from s)": "a comparison of rows",
    "select a from t where (t.a, t.b) > (1, 2)": "a comparison of rows",
    "select a from t where a == b": "an operator T-SQL lacks",
    "select greatest(a, b) as c from t": "syntax of DuckDB",
    "select a from t where a ilike 'x'": "syntax of DuckDB",
    "select a from t order by b nulls last": "standard SQL that T-SQL lacks",
    "select count(*) filter (where a = 1) as b from t": "standard SQL that T-SQL lacks",
    "select extract(year from a) as b from t": "a function T-SQL spells otherwise",
    "select length(a) as b from t": "a function T-SQL spells otherwise",
    "select string_agg(a, ',' order by a) as b from t": "ORDER BY inside STRING_AGG (write WITHIN GROUP)",
    "select a from t as t inner join s as s using (a)": "USING or NATURAL in a join",
    "select a from (values (1)) as t (a)": "VALUES as a table",
    "select t at time zone 'Europe/Dublin' as a from s": "an IANA time zone",
    "select a // 2 as b from t": "whole-number division with //",
    "select a from t u": "an alias without AS",
    "with read as (select 1 as a) select a from read": "the reserved word read as a name",
}


@pytest.mark.parametrize(("sql", "why"), PLANTED.items())
def test_the_list_catches_what_it_should(sql: str, why: str) -> None:
    assert why in problems(sql)


def test_every_entry_of_the_list_has_its_planted_statement() -> None:
    assert set(REFUSED.values()) <= set(PLANTED.values())


def test_only_macros_ask_which_engine_it_is() -> None:
    """Models and tests are the same text for both engines; the YAML may spell a column's type for either."""
    asking = re.compile(r"\btarget\.|\badapter\.|\b(?:duckdb|fabric|synapse|sqlserver)__", re.IGNORECASE)
    files = [path for folder in ("models", "tests") for path in (PROJECT / folder).rglob("*.sql")]
    assert len(files) > 150
    assert [path.name for path in files if asking.search(path.read_text("utf-8"))] == []
    types = re.compile(r"^\s+(?:time|flag): &(?:time|flag) ")
    for path in (PROJECT / "models").rglob("*.yml"):
        lines = path.read_text("utf-8").splitlines()
        assert [line for line in lines if asking.search(line) and not types.match(line)] == [], path.name


def test_the_list_lets_good_statements_through() -> None:
    sql = (
        "with a as (select cast(x as nvarchar(200)) as x, 'true::limit' as y from t as t where z = cast(1 as bit)"
        " and t.w in ('a', 'b') and cast(concat(t.x, t.y) as nvarchar(4000)) >= 'm' and coalesce(t.a, t.b) = 1)"
        " select a.[key], \"limit\" from a cross apply openjson(a.x) with (k nvarchar(max) '$.k' as json) as j"
    )
    assert problems(sql) == []
