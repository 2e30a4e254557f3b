{# Days and times where the engines differ. Days are local business days, times are UTC. #}

{# The business date (local date in the business time zone) of a UTC time. #}
{% macro business_date(time) -%} {{ return(adapter.dispatch('business_date')(time)) }} {%- endmacro %}
{% macro duckdb__business_date(time) -%}
  cast(timezone('{{ business_timezone() }}', {{ time }}) as date)
{%- endmacro %}
{% macro fabric__business_date(time) -%}
  cast({{ time }} at time zone 'UTC' at time zone '{{ windows_timezone(business_timezone()) }}' as date)
{%- endmacro %}

{# The UTC date of a UTC time. #}
{% macro utc_date(time) -%} {{ return(adapter.dispatch('utc_date')(time)) }} {%- endmacro %}
{% macro duckdb__utc_date(time) -%} cast({{ without_zone(time) }} as date) {%- endmacro %}
{% macro fabric__utc_date(time) -%} cast({{ time }} as date) {%- endmacro %}

{# Midnight UTC of a date, as a time. #}
{% macro midnight_utc(day) -%} {{ return(adapter.dispatch('midnight_utc')(day)) }} {%- endmacro %}
{% macro duckdb__midnight_utc(day) -%} timezone('UTC', cast({{ day }} as timestamp)) {%- endmacro %}
{% macro fabric__midnight_utc(day) -%} cast({{ day }} as datetime2(6)) {%- endmacro %}

{# A date moved by a whole number of days (an expression or a number; may be negative). #}
{% macro add_days(day, days) -%} {{ return(adapter.dispatch('add_days')(day, days)) }} {%- endmacro %}
{% macro duckdb__add_days(day, days) -%} cast({{ day }} as date) + cast({{ days }} as integer) {%- endmacro %}
{% macro fabric__add_days(day, days) -%} dateadd(day, {{ days }}, cast({{ day }} as date)) {%- endmacro %}

{# Whole days from one date to a later one. #}
{% macro days_between(earlier, later) -%} {{ return(adapter.dispatch('days_between')(earlier, later)) }} {%- endmacro %}
{% macro duckdb__days_between(earlier, later) -%} date_diff('day', {{ earlier }}, {{ later }}) {%- endmacro %}
{% macro fabric__days_between(earlier, later) -%} datediff(day, {{ earlier }}, {{ later }}) {%- endmacro %}

{# How many times a unit of UTC time ('second', 'minute', 'hour') begins after one time and up to a later one. #}
{% macro units_between(unit, earlier, later) -%}
  {{ return(adapter.dispatch('units_between')(unit, earlier, later)) }}
{%- endmacro %}
{% macro duckdb__units_between(unit, earlier, later) -%}
  date_diff('{{ unit }}', {{ without_zone(earlier) }}, {{ without_zone(later) }})
{%- endmacro %}
{% macro fabric__units_between(unit, earlier, later) -%} datediff({{ unit }}, {{ earlier }}, {{ later }}) {%- endmacro %}

{#
  On DuckDB, a UTC time as a timestamp without zone. What DuckDB does with zones, UTC too, it asks of ICU's calendars: a date
  made by timezone() takes 120 ns, a difference in days 800, without zone 10.
#}
{% macro without_zone(time) -%} make_timestamp(epoch_us({{ time }})) {%- endmacro %}

{# First day of a date's month, as a date. #}
{% macro month_start(day) -%} {{ return(adapter.dispatch('month_start')(day)) }} {%- endmacro %}
{% macro duckdb__month_start(day) -%} cast(date_trunc('month', {{ day }}) as date) {%- endmacro %}
{% macro fabric__month_start(day) -%} datefromparts(year({{ day }}), month({{ day }}), 1) {%- endmacro %}

{# Literals. `value` is ISO text: '2026-10-30' or '2026-10-30 12:00:00.123456' (UTC). #}
{% macro date_literal(value) -%} cast('{{ value }}' as date) {%- endmacro %}
{% macro time_literal(value) -%} {{ return(adapter.dispatch('time_literal')(value)) }} {%- endmacro %}
{% macro duckdb__time_literal(value) -%} cast('{{ value }}+00' as timestamptz) {%- endmacro %}
{% macro fabric__time_literal(value) -%} cast('{{ value }}' as datetime2(6)) {%- endmacro %}

{# A date or time expression as ISO text, so that it can travel through a query's result into a literal. #}
{% macro iso_text(expression) -%} {{ return(adapter.dispatch('iso_text')(expression)) }} {%- endmacro %}
{% macro duckdb__iso_text(expression) -%}
  strftime({{ without_zone('cast(' ~ expression ~ ' as timestamptz)') }}, '%Y-%m-%d %H:%M:%S.%f')
{%- endmacro %}
{% macro fabric__iso_text(expression) -%} convert(varchar(26), cast({{ expression }} as datetime2(6)), 121) {%- endmacro %}

{# Windows names of IANA zones: AT TIME ZONE on Synapse knows only those. #}
{% macro windows_timezone(iana) -%}
  {%- set names = {
    'UTC': 'UTC', 'Europe/Dublin': 'GMT Standard Time', 'Europe/London': 'GMT Standard Time',
    'Europe/Lisbon': 'GMT Standard Time', 'Europe/Paris': 'Romance Standard Time',
    'Europe/Madrid': 'Romance Standard Time', 'Europe/Brussels': 'Romance Standard Time',
    'Europe/Berlin': 'W. Europe Standard Time', 'Europe/Amsterdam': 'W. Europe Standard Time',
    'Europe/Rome': 'W. Europe Standard Time', 'Europe/Vienna': 'W. Europe Standard Time',
    'Europe/Zurich': 'W. Europe Standard Time', 'Europe/Stockholm': 'W. Europe Standard Time',
    'Europe/Oslo': 'W. Europe Standard Time', 'Europe/Copenhagen': 'Romance Standard Time',
    'Europe/Warsaw': 'Central European Standard Time', 'Europe/Prague': 'Central Europe Standard Time',
    'Europe/Budapest': 'Central Europe Standard Time', 'Europe/Athens': 'GTB Standard Time',
    'Europe/Helsinki': 'FLE Standard Time', 'America/New_York': 'Eastern Standard Time',
    'America/Toronto': 'Eastern Standard Time', 'America/Chicago': 'Central Standard Time',
    'America/Denver': 'Mountain Standard Time', 'America/Los_Angeles': 'Pacific Standard Time',
    'Asia/Tokyo': 'Tokyo Standard Time', 'Asia/Singapore': 'Singapore Standard Time',
    'Australia/Sydney': 'AUS Eastern Standard Time', 'Pacific/Auckland': 'New Zealand Standard Time'
  } -%}
  {%- if iana not in names -%}
    {%- do exceptions.raise_compiler_error(
      "The time zone '" ~ iana ~ "' has no Windows name in macros/engine/dates.sql: add it there.") -%}
  {%- endif -%}
  {{- return(names[iana]) -}}
{%- endmacro %}
