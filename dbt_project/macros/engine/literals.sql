{#
  A select of rows that stand in the project itself, all columns text. One text of all rows, which the engine takes apart:
  planning hundreds of united selects, or a list of thousands of values, costs more than any query over them.
#}
{% macro literal_rows(columns, rows) -%} {{ return(adapter.dispatch('literal_rows')(columns, rows)) }} {%- endmacro %}
{% macro duckdb__literal_rows(columns, rows) -%}
select
    {%- for column in columns %}
    listed.fields[{{ loop.index }}] as {{ column }} {{- ',' if not loop.last }}
    {%- endfor %}
from (
    select unnest(from_json('{{ tojson(rows) | replace("'", "''") }}', '[["VARCHAR"]]')) as fields
) as listed
{%- endmacro %}
{% macro fabric__literal_rows(columns, rows) -%}
select listed.*
from openjson(N'{{ tojson(rows) | replace("'", "''") }}') with (
    {%- for column in columns %}
    {{ column }} nvarchar(200) '$[{{ loop.index0 }}]' {{- ',' if not loop.last }}
    {%- endfor %}
) as listed
{%- endmacro %}
