{#
  Types and casts that DuckDB and Synapse spell differently. Every cast from text is a try: what cannot be read becomes
  null, and a rule or test names it. Money is DECIMAL(18,4), a currency rate DECIMAL(20,12). Times are UTC: timestamptz on
  DuckDB (so that what is published to Delta is aware), datetime2(6) on Synapse.
#}

{% macro type_money() -%} decimal(18, 4) {%- endmacro %}
{% macro type_fx_rate() -%} decimal(20, 12) {%- endmacro %}

{% macro type_time() -%} {{ return(adapter.dispatch('type_time')()) }} {%- endmacro %}
{% macro duckdb__type_time() -%} timestamptz {%- endmacro %}
{% macro fabric__type_time() -%} datetime2(6) {%- endmacro %}

{% macro type_flag() -%} {{ return(adapter.dispatch('type_flag')()) }} {%- endmacro %}
{% macro duckdb__type_flag() -%} boolean {%- endmacro %}
{% macro fabric__type_flag() -%} bit {%- endmacro %}

{% macro type_text(length=200) -%} {{ return(adapter.dispatch('type_text')(length)) }} {%- endmacro %}
{% macro duckdb__type_text(length) -%} varchar {%- endmacro %}
{% macro fabric__type_text(length) -%} nvarchar({{ length }}) {%- endmacro %}

{# The value where it is one of those from the lowest to the highest. #}
{% macro null_outside(value, lowest, highest) -%}
  case when {{ value }} between {{ lowest }} and {{ highest }} then {{ value }} end
{%- endmacro %}

{#
  The expression `text` as money; null where it is no number, and from 100 billion on, which is no price in any currency: two
  such amounts multiplied, or a few added, are more than a decimal holds, and one record would end the build.
#}
{% macro to_money(text) -%}
  {{- null_outside('try_cast(' ~ text ~ ' as ' ~ type_money() ~ ')', '-99999999999.9999', '99999999999.9999') -}}
{%- endmacro %}

{# An arithmetic result brought back to money: products and sums of decimals grow their precision. #}
{% macro as_money(expression) -%} cast(round({{ expression }}, 4) as {{ type_money() }}) {%- endmacro %}

{# Whole number; "2.0" reads as 2. Null where it is none, and where it has more than nine digits, which nothing counted has. #}
{% macro to_int(text) -%} {{ as_count('try_cast(' ~ text ~ ' as decimal(18, 4))') }} {%- endmacro %}
{% macro as_count(number) -%} cast({{ null_outside(number, -999999999, 999999999) }} as integer) {%- endmacro %}

{#
  The days that the business can have: dim_date has a row for each. A time outside of them is none. 0001-01-01 and 9999-12-31
  are how programs write that there is none, 1970-01-01 is a clock that nobody set, and one such day in a fact would have
  every report reckon with centuries.
#}
{% macro calendar_start() -%} {{ return('2000-01-01') }} {%- endmacro %}
{% macro calendar_end() -%} {{ return('2049-12-31') }} {%- endmacro %}

{# Whether a date is one of them. #}
{% macro in_calendar(day) -%}
  {{ day }} between {{ date_literal(calendar_start()) }} and {{ date_literal(calendar_end()) }}
{%- endmacro %}

{# ISO 8601 date; null where nobody can have meant it. Pieces are bought, and rates were told, before the calendar starts. #}
{% macro to_date(text) -%}
  {{- null_outside('try_cast(' ~ text ~ ' as date)', date_literal('1900-01-01'), date_literal('2099-12-31')) -}}
{%- endmacro %}

{# ISO 8601 time with zone or Z, as UTC; null outside of the calendar. #}
{% macro to_time(text) -%}
  {{- null_outside(
    read_time(text),
    time_literal(calendar_start() ~ ' 00:00:00.000000'), time_literal(calendar_end() ~ ' 23:59:59.999999')
  ) -}}
{%- endmacro %}

{% macro read_time(text) -%} {{ return(adapter.dispatch('read_time')(text)) }} {%- endmacro %}
{% macro duckdb__read_time(text) -%} try_cast({{ text }} as timestamptz) {%- endmacro %}
{% macro fabric__read_time(text) -%}
  cast(switchoffset(try_cast({{ text }} as datetimeoffset(6)), '+00:00') as datetime2(6))
{%- endmacro %}

{# Seconds since 1970 as UTC; null where it is no number, and outside of the calendar. #}
{% macro to_epoch(text) -%} {{ return(adapter.dispatch('to_epoch')(seconds_in_calendar(text))) }} {%- endmacro %}
{% macro duckdb__to_epoch(seconds) -%} to_timestamp({{ seconds }}) {%- endmacro %}
{% macro fabric__to_epoch(seconds) -%}
  dateadd(
    second, cast({{ seconds }} % 86400 as integer),
    dateadd(day, cast({{ seconds }} / 86400 as integer), cast('1970-01-01' as datetime2(6)))
  )
{%- endmacro %}

{% macro seconds_in_calendar(text) -%}
  {%- set read = modules.datetime.datetime.fromisoformat -%}
  {%- set first = read(calendar_start() ~ 'T00:00:00+00:00').timestamp() | int -%}
  {%- set last = read(calendar_end() ~ 'T23:59:59+00:00').timestamp() | int -%}
  ({{ null_outside('try_cast(' ~ text ~ ' as bigint)', first, last) }})
{%- endmacro %}

{# "true" and "false" as a flag column. #}
{% macro to_flag(text) -%} {{ return(adapter.dispatch('to_flag')(text)) }} {%- endmacro %}
{% macro duckdb__to_flag(text) -%} try_cast({{ text }} as boolean) {%- endmacro %}
{% macro fabric__to_flag(text) -%}
  cast(case lower({{ text }}) when 'true' then 1 when 'false' then 0 end as bit)
{%- endmacro %}

{# A condition as a flag column (never null: unknown is false). T-SQL has no boolean values. #}
{% macro flag(condition) -%} {{ return(adapter.dispatch('flag')(condition)) }} {%- endmacro %}
{% macro duckdb__flag(condition) -%} coalesce({{ condition }}, false) {%- endmacro %}
{% macro fabric__flag(condition) -%} cast(case when {{ condition }} then 1 else 0 end as bit) {%- endmacro %}

{# A flag column as a condition, for where, case and on. #}
{% macro is_true(column) -%} {{ column }} = {{ flag_literal(true) }} {%- endmacro %}
{% macro is_false(column) -%} {{ column }} = {{ flag_literal(false) }} {%- endmacro %}

{% macro flag_literal(value) -%} {{ return(adapter.dispatch('flag_literal')(value)) }} {%- endmacro %}
{% macro duckdb__flag_literal(value) -%} {{ 'true' if value else 'false' }} {%- endmacro %}
{% macro fabric__flag_literal(value) -%} cast({{ 1 if value else 0 }} as bit) {%- endmacro %}

{# A null of a type, for the columns that a source of a union lacks. #}
{% macro null_text(length=200) -%} cast(null as {{ type_text(length) }}) {%- endmacro %}
{% macro null_money() -%} cast(null as {{ type_money() }}) {%- endmacro %}
{% macro null_time() -%} cast(null as {{ type_time() }}) {%- endmacro %}
{% macro null_date() -%} cast(null as date) {%- endmacro %}
{% macro null_flag() -%} cast(null as {{ type_flag() }}) {%- endmacro %}
{% macro zero_money() -%} cast(0 as {{ type_money() }}) {%- endmacro %}
