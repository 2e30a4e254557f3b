{# Aggregates where the engines differ. #}

{#
  Texts of the row of a group that stands first, or last: of all its rows, or of those that satisfy `condition`. Where rows
  are grouped, of_first_row() gives one or more columns that begin with `name`; a later select makes the texts, null or
  not, of these by texts_of_row(). A window that ranks the rows first would have to sort them all.

    name: of the columns between.
    columns: column -> what its text is called.
    place: what orders the rows, of moment_place().
#}
{% macro of_first_row(name, columns, place, condition=none) -%}
  {{ return(adapter.dispatch('of_end_row')('min', name, columns, place, condition)) }}
{%- endmacro %}
{% macro of_last_row(name, columns, place, condition=none) -%}
  {{ return(adapter.dispatch('of_end_row')('max', name, columns, place, condition)) }}
{%- endmacro %}
{#-
  The texts stand behind their place, each behind '=', which tells an empty one from none. One comparison of texts finds the
  row for all of them: of 5 million events in a million groups arg_min() for each of nine took twice as long. The space lets
  a place that another one begins with come first.
#}
{% macro duckdb__of_end_row(function, name, columns, place, condition) -%}
  {{ function }}({{ 'case when ' ~ condition ~ ' then ' if condition }}concat({{ place }}, ' '
    {%- for column in columns %}, {{ text_end() }}, '=' || {{ column }}{% endfor -%}
  ){{ ' end' if condition }}) as {{ name }}
{%- endmacro %}
{% macro fabric__of_end_row(function, name, columns, place, condition) -%}
  {%- for column in columns -%}
  {{ function }}(case when {{ condition or '1 = 1' }} then concat(
    {{ place }}, case when {{ column }} is not null then '=' end, {{ column }}
  ) end) as {{ name }}_{{ column }} {{- ',\n        ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{% macro texts_of_row(name, columns) -%} {{ return(adapter.dispatch('texts_of_row')(name, columns)) }} {%- endmacro %}
{% macro duckdb__texts_of_row(name, columns) -%}
  {%- for called in columns.values() -%}
  substring(nullif(split_part({{ name }}, {{ text_end() }}, {{ loop.index + 1 }}), ''), 2) as {{ called }} {{- ',\n        ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}
{% macro fabric__texts_of_row(name, columns) -%}
  {%- for column, called in columns.items() -%}
  substring(nullif(substring({{ name }}_{{ column }}, 227, 4000), ''), 2, 4000) as {{ called }} {{- ',\n        ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{# A character that no text has: Unicode keeps it from being one, for uses such as this. #}
{% macro text_end() -%} chr(1114111) {%- endmacro %}

{# A text that orders rows by a time, then by an id of up to 200 characters. On Synapse it always has 226. #}
{% macro moment_place(time, id) -%} {{ return(adapter.dispatch('moment_place')(time, id)) }} {%- endmacro %}
{#- Microseconds since the year 1 have 17 digits from the year 318 to 3169. -#}
{% macro duckdb__moment_place(time, id) -%} concat(epoch_us({{ time }}) + 62135596800000000, {{ id }}) {%- endmacro %}
{% macro fabric__moment_place(time, id) -%} cast(concat({{ iso_text(time) }}, {{ id }}) as nchar(226)) {%- endmacro %}
