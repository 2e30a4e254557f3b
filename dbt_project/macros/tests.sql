{# What data tests look at, and the generic tests that silver needs beside dbt's own. #}

{#
  The rows a test looks at. The project's default `where: __latest_build__` means the rows of the table's last build, so
  that testing costs what is new, not the history; `sound` chooses its rows itself. Overrides dbt's own.
#}
{% macro get_where_subquery(relation) -%}
  {%- set where = config.get('where', '') -%}
  {%- set kind = (model.test_metadata or {}).get('name') if model.test_metadata is defined else none -%}
  {%- if where == '__latest_build__' and kind == 'sound' -%}
    {%- do return(relation) -%}
  {%- endif -%}
  {%- if where == '__latest_build__' -%}
    {%- set where = built_last(relation) -%}
  {%- endif -%}
  {%- if where -%}
    {%- do return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') as tested_rows') -%}
  {%- endif -%}
  {%- do return(relation) -%}
{%- endmacro %}

{# The rows, of whatever build, that have the key of a row of the last one: a new row may repeat an old one's key. #}
{% macro rows_that_may_repeat(relation, keys) -%}
  {%- if config.get('where', '') != '__latest_build__'
      or extreme('min', 'built_at', relation, none) == extreme('max', 'built_at', relation, none) -%}
    {#- All rows are of one build: a table made anew, or a view. -#}
    {{ relation }}
  {%- else -%}
    {{ rows_with_latest_keys(relation, keys) }}
  {%- endif -%}
{%- endmacro %}

{#
  Condition for the rows of a relation's last build; a literal where it can be asked for, so that the engine skips the others.
  A view was built last when one of the tables behind it was: to ask itself would be to make all of its rows.
#}
{% macro built_last(relation) -%}
  {%- set stamps = [] -%}
  {%- for table in tables_behind(relation) -%}
    {%- set stamp = extreme('max', 'built_at', table, none) -%}
    {%- if stamp -%} {%- do stamps.append(stamp) -%} {%- endif -%}
  {%- endfor -%}
  built_at >= {% if stamps %}{{ time_literal(stamps | max) }}{% else %}(select max(built_at) from {{ relation }}){% endif %}
{%- endmacro %}

{# The stamped tables whose rows a relation of this project shows: itself, unless it is a view. #}
{% macro tables_behind(relation) -%}
  {%- set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ relation.identifier) if execute else none -%}
  {%- if not node or node.config.materialized != 'view' -%} {{ return([relation]) }} {%- endif -%}
  {%- set tables = [] -%}
  {%- for id in node.depends_on.nodes if id in graph.nodes and 'built_at' in graph.nodes[id].columns -%}
    {%- for table in tables_behind(graph_relation(graph.nodes[id])) if table not in tables -%}
      {%- do tables.append(table) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{- return(tables) -}}
{%- endmacro %}

{% macro graph_relation(node) -%}
  {{- return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) -}}
{%- endmacro %}

{# The rows, of whatever build, that have the key of a row of the last one. #}
{% macro rows_with_latest_keys(relation, keys) -%}
(
    select every_row.*
    from {{ relation }} as every_row
    where
        exists (
            select 1
            from {{ relation }} as fresh
            where
                fresh.{{ built_last(relation) }}
                {%- for key in keys %}
                and fresh.{{ key }} = every_row.{{ key }}
                {%- endfor %}
        )
) as tested_rows
{%- endmacro %}

{#
  What holds of a table by itself, in one test: a test costs 45 ms of CPU whatever it looks at, and every build runs all.
  Each row that it finds says what is broken, once for each row of the table and each repeated key (assets/dbt.py tells).

  Args:
    key: columns of which no two rows have the same values; or nothing, for a table that has none.
    filled: columns without nulls, besides those of the key.
    values: column -> what it may hold, as a list or as the name of an enumeration (enumerations.sql); or nothing.
    rules: name -> a condition on every row; one that is unknown (null) does not hold.
#}
{% test sound(model, key=[], filled=[], values={}, rules={}) %}
{%- set faults = [] -%}
{%- for column in key + filled -%}
  {%- do faults.append([column ~ ' is null', column ~ ' is missing']) -%}
{%- endfor -%}
{%- for column, allowed in values.items() -%}
  {%- set allowed = enumeration(allowed) if allowed is string else allowed -%}
  {%- do faults.append([column ~ " not in ('" ~ allowed | join("', '") ~ "')", column ~ ' has an unknown value']) -%}
{%- endfor -%}
{%- for name, condition in rules.items() -%}
  {%- do faults.append(['case when ' ~ condition ~ ' then 0 else 1 end = 1', name]) -%}
{%- endfor -%}
select judged.broken_rule
from (
    select
        case
            {%- for condition, name in faults %}
            when {{ condition }} then '{{ name }}'
            {%- endfor %}
        end as broken_rule
    from {{ model }}
    {%- if config.get('where', '') == '__latest_build__' %}
    where {{ built_last(model) }}
    {%- endif %}
) as judged
where judged.broken_rule is not null
{%- if key %}
union all
select '{{ key | join(', ') }} comes twice' as broken_rule
from {{ rows_that_may_repeat(model, key) }}
group by {{ key | join(', ') }}
having count(*) > 1
{%- endif %}
{% endtest %}

{# No two rows share the columns. For a second key of a table whose first one is of its test `sound`. #}
{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# A condition holds on every row; a condition that is unknown (null) does not hold. #}
{% test holds(model, condition) %}
select *
from {{ model }}
where case when {{ condition }} then 0 else 1 end = 1
{% endtest %}

{# There is no row at all: for lists of what should not be. #}
{% test is_empty(model) %}
select *
from {{ model }}
{% endtest %}

{# Every row with all of the columns has its parent. #}
{% test has_parent(model, columns, parent) %}
select child.*
from (select * from {{ model }}) as child
where {% for column in columns -%} child.{{ column }} is not null and {% endfor -%}
    not exists (
        select 1
        from {{ parent }} as parent
        where {% for column in columns -%}
            parent.{{ column }} = child.{{ column }} {%- if not loop.last %} and {% endif -%}
        {%- endfor %}
    )
{% endtest %}
