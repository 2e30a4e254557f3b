{#
  Money in gold. Amounts are decimal(18, 4), rates decimal(20, 12); nothing here is ever a float.
#}

{#
  An amount as charged in the reporting currency; null while the rate is unknown. Most are in it already: the product is
  of 38 digits, and to round six of them a row was most of the work of fct_orders and fct_order_lines.
#}
{% macro gold_base(amount, rate) -%}
case when {{ rate }} = 1 then cast({{ amount }} as {{ type_money() }}) else {{ as_money(amount ~ ' * ' ~ rate) }} end
{%- endmacro %}

{# The rate of `currency`, given the row of fx_daily joined as `fx`: the reporting currency needs none. #}
{% macro gold_fx_rate(currency, fx) -%}
cast(case when {{ currency }} = '{{ reporting_currency() }}' then 1 else {{ fx }}.fx_rate end as {{ type_fx_rate() }})
{%- endmacro %}

{# The day that rate was fixed on; the reporting currency's own rate of 1 holds on the day itself. #}
{% macro gold_fx_rate_date(currency, day, fx) -%}
cast(case when {{ currency }} = '{{ reporting_currency() }}' then {{ day }} else {{ fx }}.source_rate_date end as date)
{%- endmacro %}

{# A sum of money that is null as soon as one part is unknown: half a total would look like a whole one. #}
{% macro gold_sum_known(amount) -%}
case when count(*) = count({{ amount }}) then {{ as_money('sum(' ~ amount ~ ')') }} end
{%- endmacro %}

{# A sum of money in an aggregate: rows without a rate are left out (a test warns of them), no rows make 0. #}
{% macro gold_sum(amount) -%} {{ as_money('coalesce(sum(' ~ amount ~ '), 0)') }} {%- endmacro %}

{#
  What a piece of each item cost, its cost lines summed; unknown where one of them has no rate. Where not all is built,
  only of the items of `lines`.
#}
{% macro gold_unit_costs(lines) -%}
select costs.item_id, {{ gold_sum_known('costs.cost_base') }} as unit_cost_base
from {{ ref('fct_item_costs') }} as costs
{%- if is_incremental() %}
where costs.item_id in (select {{ lines }}.item_id from {{ lines }})
{%- endif %}
group by costs.item_id
{%- endmacro %}

{# What the pieces of a line cost. #}
{% macro gold_line_cost(unit_cost, quantity) -%} cast({{ unit_cost }} * {{ quantity }} as {{ type_money() }}) {%- endmacro %}

{#
  An amount in the currency that `rate` converts from: amount / rate, rounded half away from zero to 4 decimals; null
  where the rate is 0 or null. (quotient() divides by amounts; a rate has 12 decimals.)
#}
{% macro gold_before_rate(amount, rate) -%} {{ return(adapter.dispatch('gold_before_rate')(amount, rate)) }} {%- endmacro %}
{# DuckDB divides decimals as doubles: so whole numbers are divided, which is exact. #}
{% macro duckdb__gold_before_rate(amount, rate) -%}
{%- set top = 'abs(cast(' ~ amount ~ ' * cast(10000 as decimal(5, 0)) as hugeint)) * ' ~ 10 ** 12 -%}
{%- set bottom = 'abs(cast(cast(' ~ rate ~ ' as decimal(20, 12)) * cast(1000000000000 as decimal(13, 0)) as hugeint))' -%}
cast(
    cast(
        sign({{ amount }}) * sign({{ rate }}) * ((2 * {{ top }} + {{ bottom }}) // nullif(2 * {{ bottom }}, 0))
        as decimal(22, 0)
    ) * cast(0.0001 as decimal(5, 4)) as {{ type_money() }}
)
{%- endmacro %}
{# T-SQL divides decimals exactly and cuts behind the 12th decimal or later: enough to round the 4th. #}
{% macro fabric__gold_before_rate(amount, rate) -%}
cast(round(cast({{ amount }} as {{ type_money() }}) / nullif({{ rate }}, 0), 4) as {{ type_money() }})
{%- endmacro %}

{# Whether an order counts as a sale: paid (so a cancellation before payment does not count) and no test. #}
{% macro gold_is_sale(orders) -%} {{ is_true(orders ~ '.is_paid') }} and {{ is_false(orders ~ '.is_test') }} {%- endmacro %}
