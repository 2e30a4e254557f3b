{# Aggregates where the engines differ. #}

{#
  Of the rows of a group, or those of them that satisfy `condition`, the text `value` (null or not) of the one with the
  lowest `place`, which is of moment_place(). A window that ranks the rows first would have to sort them all.
#}
{% macro first_in_group(value, place, condition=none) -%}
  {{ return(adapter.dispatch('first_in_group')(value, place, condition)) }}
{%- endmacro %}
{% macro duckdb__first_in_group(value, place, condition) -%}
  arg_min_null({{ value }}, {{ place }}) {%- if condition %} filter (where {{ condition }}) {%- endif %}
{%- endmacro %}
{% macro fabric__first_in_group(value, place, condition) -%} {{ at_end('min', value, place, condition) }} {%- endmacro %}

{# The same of the row with the highest place. #}
{% macro last_in_group(value, place) -%} {{ return(adapter.dispatch('last_in_group')(value, place)) }} {%- endmacro %}
{% macro duckdb__last_in_group(value, place) -%} arg_max_null({{ value }}, {{ place }}) {%- endmacro %}
{% macro fabric__last_in_group(value, place) -%} {{ at_end('max', value, place) }} {%- endmacro %}

{# On Synapse the value stands behind its place, so that the lowest text has it; '=' tells an empty value from none. #}
{% macro at_end(function, value, place, condition=none) -%}
  substring(nullif(substring({{ function }}(case when {{ condition or '1 = 1' }} then concat(
    {{ place }}, case when {{ value }} is not null then '=' end, {{ value }}
  ) end), 227, 4000), ''), 2, 4000)
{%- endmacro %}

{# A text that orders rows by a time, then by an id of up to 200 characters. On Synapse it always has 226. #}
{% macro moment_place(time, id) -%} {{ return(adapter.dispatch('moment_place')(time, id)) }} {%- endmacro %}
{#- Microseconds since the year 1 have 17 digits from the year 318 to 3169. -#}
{% macro duckdb__moment_place(time, id) -%} concat(epoch_us({{ time }}) + 62135596800000000, {{ id }}) {%- endmacro %}
{% macro fabric__moment_place(time, id) -%} cast(concat({{ iso_text(time) }}, {{ id }}) as nchar(226)) {%- endmacro %}
