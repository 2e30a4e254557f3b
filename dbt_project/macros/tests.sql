{# What data tests look at, and the generic tests that silver needs beside dbt's own. #}

{#
  The rows a test looks at. The project's default `where: __latest_build__` means the rows of the table's last build, so
  that testing costs what is new, not the history; a test of uniqueness looks at all rows that have the key of one of
  these, because a new row may repeat an old one's key. Overrides dbt's own.
#}
{% macro get_where_subquery(relation) -%}
  {%- set where = config.get('where', '') -%}
  {%- set kind = (model.test_metadata or {}).get('name') if model.test_metadata is defined else none -%}
  {%- if where == '__latest_build__' and kind in ('unique', 'unique_together') -%}
    {%- set keys = model.test_metadata['kwargs'].get('columns') or [model.test_metadata['kwargs']['column_name']] -%}
    {%- if extreme('min', 'built_at', relation, none) == extreme('max', 'built_at', relation, none) -%}
      {#- All rows are of one build: a table made anew. -#}
      {%- do return(relation) -%}
    {%- endif -%}
    {%- do return(rows_with_latest_keys(relation, keys)) -%}
  {%- endif -%}
  {%- if where == '__latest_build__' -%}
    {%- set where = built_last(relation) -%}
  {%- endif -%}
  {%- if where -%}
    {%- do return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') as tested_rows') -%}
  {%- endif -%}
  {%- do return(relation) -%}
{%- endmacro %}

{# Condition for the rows of a relation's last build; a literal where it can be asked for, so that the engine skips the others. #}
{% macro built_last(relation) -%}
  {%- set newest = extreme('max', 'built_at', relation, none) -%}
  built_at >= {% if newest %}{{ time_literal(newest) }}{% else %}(select max(built_at) from {{ relation }}){% endif %}
{%- endmacro %}

{# The rows, of whatever build, that have the key of a row of the last one; a key with a null in it is one as well. #}
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
        {%- for key in keys %}
        or every_row.{{ key }} is null
        {%- endfor %}
) as tested_rows
{%- endmacro %}

{# No two rows share the columns, and none of them is null. #}
{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 {%- for column in columns %} or {{ column }} is null {%- endfor %}
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
