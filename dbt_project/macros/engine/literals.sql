{#
  A select of rows that stand in the project itself, all columns text. One list of values, not a select a row: planning
  hundreds of united selects costs more than any query over them.
#}
{% macro literal_rows(columns, rows) -%} {{ return(adapter.dispatch('literal_rows')(columns, rows)) }} {%- endmacro %}
{% macro duckdb__literal_rows(columns, rows) -%}
select listed.*
from (
    values
    {%- for row in rows %}
    (
        {%- for value in row -%} '{{ value | replace("'", "''") }}' {{- ', ' if not loop.last }} {%- endfor -%}
    ) {{- ',' if not loop.last }}
    {%- endfor %}
) as listed ({{ columns | join(', ') }})
{%- endmacro %}
{% macro fabric__literal_rows(columns, rows) -%}
select listed.*
from openjson(N'{{ tojson(rows) | replace("'", "''") }}') with (
    {%- for column in columns %}
    {{ column }} nvarchar(200) '$[{{ loop.index0 }}]' {{- ',' if not loop.last }}
    {%- endfor %}
) as listed
{%- endmacro %}
