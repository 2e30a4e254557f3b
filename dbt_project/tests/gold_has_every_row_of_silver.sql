{#- No row is lost or doubled on the way from silver to gold: each fact and dimension has as many rows as its noun. -#}
{{ config(meta={'dagster': {'ref': {'name': 'fct_orders'}}}) }}
{%- set pairs = [
    ['orders', 'fct_orders'],
    ['order_lines', 'fct_order_lines'],
    ['payments', 'fct_payments'],
    ['refunds', 'fct_refunds'],
    ['fees', 'fct_fees'],
    ['payouts', 'fct_payouts'],
    ['shipments', 'fct_shipments'],
    ['sessions', 'fct_sessions'],
    ['item_costs', 'fct_item_costs'],
    ['ad_spend', 'fct_ad_spend'],
    ['items', 'dim_item'],
    ['listings', 'dim_listing'],
    ['customers', 'dim_customer'],
] %}

with counted as (
    {%- for noun, table in pairs %}
    select
        '{{ table }}' as gold_table,
        (select count(*) from {{ ref(noun) }}) as silver_rows,
        (select count(*) from {{ ref(table) }}) as gold_rows
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select counted.gold_table, counted.silver_rows, counted.gold_rows
from counted
where counted.silver_rows <> counted.gold_rows
