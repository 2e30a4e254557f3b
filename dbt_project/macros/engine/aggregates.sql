{# Aggregates where the engines differ. #}

{#
  Of the rows of a group that satisfy `condition`, the text `value` (null or not) of the one with the lowest `place`, a whole
  number from 0 to 9,999,999,999. A window that ranks the rows first would have to sort them all.
#}
{% macro first_in_group(value, place, condition) -%}
  {{ return(adapter.dispatch('first_in_group')(value, place, condition)) }}
{%- endmacro %}
{% macro duckdb__first_in_group(value, place, condition) -%}
  arg_min_null({{ value }}, {{ place }}) filter (where {{ condition }})
{%- endmacro %}
{#- The value stands behind its place, so that the lowest text has it; '=' tells an empty value from none. -#}
{% macro fabric__first_in_group(value, place, condition) -%}
  substring(nullif(substring(min(case when {{ condition }} then concat(
    right(concat('0000000000', cast({{ place }} as varchar(10))), 10), case when {{ value }} is not null then '=' end, {{ value }}
  ) end), 11, 4000), ''), 2, 4000)
{%- endmacro %}
