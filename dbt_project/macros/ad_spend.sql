{# Why a line of advertising spend is kept out of silver; null where nothing is wrong with it. #}
{% macro ad_spend_rejections(rows) -%}
{{ first_reasons([
    [rows ~ '.spend_date is null', 'no day'],
    ['not ' ~ in_calendar(rows ~ '.spend_date'), 'not a day of the calendar'],
    ["coalesce(trim(" ~ rows ~ ".campaign), '') = ''", 'no campaign'],
    ['not ' ~ is_currency(rows ~ '.currency'), 'unknown currency'],
    [rows ~ '.spend_amount is null', 'no amount'],
    [rows ~ '.spend_amount < 0', 'negative amount'],
]) }}
{%- endmacro %}
