{%- set touched = gold_touched_sale_months() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_sale_months(), ['sale_month']]]) }}"
) }}

{#
  What came back of what was sold in a month, however much later: the refund lines name the sale line. A month is made anew
  when any of its sales, or what came back of one, is another one.
#}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}sold as (
    select
        lines.channel,
        lines.order_id,
        lines.line_id,
        {{ month_start('lines.business_date') }} as sale_month,
        coalesce(items.category, 'unknown') as category,
        lines.quantity,
        lines.gross_base - lines.discount_base as sale_base,
        lines.fx_rate
    from {{ ref('fct_order_lines') }} as lines
    left join {{ ref('dim_item') }} as items on items.item_id = lines.item_id
    where {{ is_true('lines.is_sale') }}
    {%- if is_incremental() %}
        and lines.business_date >= {{ earliest_date('(' ~ touched ~ ') as touched', 'sale_month', none) }}
        and exists (select 1 from touched where touched.sale_month = {{ month_start('lines.business_date') }})
    {%- endif %}
),

returned as (
    select
        refund_lines.channel,
        refund_lines.order_id,
        refund_lines.line_id,
        sum(refund_lines.quantity) as quantity,
        sum(refund_lines.refund_amount) as refund_amount
    from {{ ref('refund_lines') }} as refund_lines
    where refund_lines.line_id is not null
    group by refund_lines.channel, refund_lines.order_id, refund_lines.line_id
),

cohorts as (
    select
        sold.sale_month,
        sold.channel,
        sold.category,
        sum(sold.quantity) as units_sold,
        sum(coalesce(returned.quantity, 0)) as units_returned,
        {{ gold_sum('sold.sale_base') }} as sale_base,
        -- At the rate of the sale, so that the share given back is of like amounts.
        {{ gold_sum('coalesce(returned.refund_amount, 0) * sold.fx_rate') }} as returned_base
    from sold
    left join returned
        on
            returned.channel = sold.channel
            and returned.order_id = sold.order_id
            and returned.line_id = sold.line_id
    group by sold.sale_month, sold.channel, sold.category
)

select
    cohorts.sale_month,
    cohorts.channel,
    cohorts.category,
    cast(cohorts.units_sold as int) as units_sold,
    cast(cohorts.units_returned as int) as units_returned,
    cohorts.sale_base,
    cohorts.returned_base,
    {{ quotient('cohorts.units_returned', 'cohorts.units_sold', 8) }} as return_rate,
    {{ built_at() }} as built_at
from cohorts
