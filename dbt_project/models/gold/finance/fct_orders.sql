{%- set touched = gold_touched_orders() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_orders(), ['channel', 'order_id']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}orders as (
    select
        orders.*,
        {{ gold_fx_rate('orders.currency', 'fx') }} as fx_rate,
        {{ gold_fx_rate_date('orders.currency', 'orders.business_date', 'fx') }} as fx_rate_date,
        destinations.country as destination_country,
        destinations.region as ship_region,
        destinations.distance_km
    from {{ ref('orders') }} as orders
    {% if is_incremental() %}
    inner join touched on touched.channel = orders.channel and touched.order_id = orders.order_id
    {% endif %}
    left join {{ ref('fx_daily') }} as fx
        on fx.currency = orders.currency and fx.rate_date = orders.business_date
    left join {{ ref('destinations') }} as destinations
        on destinations.stated_country = orders.ship_country
        and destinations.postcode_area = coalesce(orders.ship_postcode_area, '')
),

addressed as (
    select channel, order_id, business_date, destination_country as ship_country, ship_postcode_area, distance_km
    from orders
    where destination_country is not null
),

zoned as (
    {{ zones_of('addressed', ['channel', 'order_id'], 'business_date') | indent(4) }}
),

sold_lines as (
    select lines.channel, lines.order_id, lines.item_id, cast(lines.quantity as int) as quantity
    from {{ ref('order_lines') }} as lines
    {% if is_incremental() %}
    inner join touched on touched.channel = lines.channel and touched.order_id = lines.order_id
    {% endif %}
),

unit_costs as (
    {{ gold_unit_costs('sold_lines') | indent(4) }}
),

lines as (
    select
        sold_lines.channel,
        sold_lines.order_id,
        cast(sum(sold_lines.quantity) as int) as units,
        {{ gold_sum(gold_line_cost('unit_costs.unit_cost_base', 'sold_lines.quantity')) }} as item_cost_base
    from sold_lines
    left join unit_costs on unit_costs.item_id = sold_lines.item_id
    group by sold_lines.channel, sold_lines.order_id
),

refunds as (
    select
        refunds.channel,
        refunds.order_id,
        cast(sum(refunds.refund_amount) as {{ type_money() }}) as refund_amount,
        {{ gold_sum_known('refunds.refund_base') }} as refund_base,
        cast(sum(refunds.refund_tax_amount) as {{ type_money() }}) as refund_tax_amount,
        {{ gold_sum_known('refunds.refund_tax_base') }} as refund_tax_base,
        cast(sum(refunds.refund_ex_tax_amount) as {{ type_money() }}) as refund_ex_tax_amount,
        {{ gold_sum_known('refunds.refund_ex_tax_base') }} as refund_ex_tax_base
    from {{ ref('fct_refunds') }} as refunds
    {% if is_incremental() %}
    inner join touched on touched.channel = refunds.channel and touched.order_id = refunds.order_id
    {% endif %}
    group by refunds.channel, refunds.order_id
),

order_fees as (
    -- The channel charges in its settlement currency; its own rate brings the fee back to the order's currency.
    -- Without one the two days' reference rates stand in.
    select
        fees.channel,
        fees.order_id,
        fees.fee_base,
        case
            when fees.currency = orders.currency then fees.fee_amount
            when orders.channel_fx_rate is not null
                then {{ gold_before_rate('fees.fee_amount', 'orders.channel_fx_rate') }}
            else {{ gold_before_rate('fees.fee_base', 'orders.fx_rate') }}
        end as fee_amount
    from {{ ref('fct_fees') }} as fees
    inner join orders on orders.channel = fees.channel and orders.order_id = fees.order_id
),

fees as (
    select
        order_fees.channel,
        order_fees.order_id,
        {{ gold_sum_known('order_fees.fee_amount') }} as fee_amount,
        {{ gold_sum_known('order_fees.fee_base') }} as fee_base
    from order_fees
    group by order_fees.channel, order_fees.order_id
),

summed as (
    select
        orders.*,
        coalesce(lines.units, 0) as units,
        cast(coalesce(lines.item_cost_base, 0) as {{ type_money() }}) as item_cost_base,
        -- Nothing charged or given back is 0; something whose rate is unknown stays unknown.
        case when fees.order_id is null then cast(0 as {{ type_money() }}) else fees.fee_amount end as fee_amount,
        case when fees.order_id is null then cast(0 as {{ type_money() }}) else fees.fee_base end as fee_base,
        cast(coalesce(refunds.refund_amount, 0) as {{ type_money() }}) as refund_amount,
        cast(coalesce(refunds.refund_tax_amount, 0) as {{ type_money() }}) as refund_tax_amount,
        cast(coalesce(refunds.refund_ex_tax_amount, 0) as {{ type_money() }}) as refund_ex_tax_amount,
        case when refunds.order_id is null then cast(0 as {{ type_money() }}) else refunds.refund_base end as refund_base,
        case when refunds.order_id is null then cast(0 as {{ type_money() }}) else refunds.refund_tax_base end
            as refund_tax_base,
        case when refunds.order_id is null then cast(0 as {{ type_money() }}) else refunds.refund_ex_tax_base end
            as refund_ex_tax_base
    from orders
    left join lines on lines.channel = orders.channel and lines.order_id = orders.order_id
    left join refunds on refunds.channel = orders.channel and refunds.order_id = orders.order_id
    left join fees on fees.channel = orders.channel and fees.order_id = orders.order_id
),

valued as (
    select
        summed.*,
        zoned.zone,
        {{ gold_base('summed.gross_amount', 'summed.fx_rate') }} as gross_base,
        {{ gold_base('summed.discount_amount', 'summed.fx_rate') }} as discount_base,
        {{ gold_base('summed.shipping_amount', 'summed.fx_rate') }} as shipping_base,
        {{ gold_base('summed.tax_amount', 'summed.fx_rate') }} as tax_base,
        {{ gold_base('summed.surcharge_amount', 'summed.fx_rate') }} as surcharge_base,
        {{ gold_base('summed.total_amount', 'summed.fx_rate') }} as total_base
    from summed
    left join zoned on zoned.channel = summed.channel and zoned.order_id = summed.order_id
)

select
    channel,
    order_id,
    order_name,
    person_id,
    ordered_at,
    business_date,
    status,
    payment_status,
    fulfilment_status,
    is_test,
    is_paid,
    {{ flag(gold_is_sale('valued')) }} as is_sale,
    cancelled_at,
    ship_country,
    ship_region,
    ship_postcode_area,
    distance_km,
    zone,
    store_id,
    units,
    currency,
    settlement_currency,
    channel_fx_rate,
    fx_rate,
    fx_rate_date,
    gross_amount,
    gross_base,
    discount_amount,
    discount_base,
    shipping_amount,
    shipping_base,
    tax_amount,
    tax_base,
    surcharge_amount,
    surcharge_base,
    total_amount,
    total_base,
    fee_amount,
    fee_base,
    refund_amount,
    refund_base,
    refund_tax_amount,
    refund_tax_base,
    refund_ex_tax_amount,
    refund_ex_tax_base,
    cast(gross_amount - discount_amount + shipping_amount - refund_ex_tax_amount as {{ type_money() }}) as net_amount,
    cast(gross_base - discount_base + shipping_base - refund_ex_tax_base as {{ type_money() }}) as net_base,
    item_cost_base,
    cast(
        gross_base - discount_base + shipping_base - refund_ex_tax_base - item_cost_base - fee_base as {{ type_money() }}
    ) as contribution_base,
    {{ built_at() }} as built_at
from valued
