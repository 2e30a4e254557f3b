{# What learning machines are given. #}

{# The band that a price in the reporting currency is in; null for no price. Bounds: var price_bands. #}
{% macro price_band(price) -%}
  {%- set bounds = var('price_bands') -%}
  case
    when {{ price }} is null then null
    {%- for bound in bounds %}
    when {{ price }} < {{ bound }} then '{{ bounds[loop.index0 - 1] if loop.index0 else 0 }}-{{ bound }}'
    {%- endfor %}
    else '{{ bounds[-1] }}+'
  end
{%- endmacro %}

{# Weeks whose sales have to be counted anew: of orders written anew, now and ever, and of the sales of changed pieces. #}
{% macro gold_touched_weeks() -%}
{%- set since = watermark() -%}
select days.week_start_date
from (
    {{ gold_touched_days() }}
    union
    select links.business_date
    from {{ ref('int_order_links') }} as links
    inner join {{ ref('dim_item') }} as items on items.item_id = links.item_id
    where items.built_at > {{ since }}
) as touched_days
inner join {{ ref('dim_date') }} as days on days.calendar_date = touched_days.business_date
group by days.week_start_date
{%- endmacro %}

{# Monday of the first of these weeks, as a literal date. #}
{% macro first_touched_week() -%}
{%- set scope = gold_touched_weeks() -%}
{%- set first_week = '1900-01-01' -%}
{%- if may_query() and is_incremental() -%}
  {%- set answer = run_query('select ' ~ iso_text('min(touched.week_start_date)') ~ ' as value from (' ~ scope ~ ') as touched') -%}
  {%- set first_week = (answer.columns[0].values()[0] or '2999-01-01')[:10] -%}
{%- endif -%}
{{ date_literal(first_week) }}
{%- endmacro %}
