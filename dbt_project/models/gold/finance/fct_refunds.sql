{%- set touched = gold_touched_refunds() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([
        [gold_touched_refunds(), ['channel', 'refund_id']],
        [gold_changed_orders(), ['channel', 'order_id']],
    ]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}refunds as (
    select
        refunds.channel,
        refunds.refund_id,
        refunds.order_id,
        coalesce(refunds.order_id, {{ key_without_order('refunds.refund_id') }}) as order_key,
        refunds.refunded_at,
        refunds.business_date,
        -- A refund of an order that never counted as a sale (a test order) takes nothing back.
        case when orders.order_id is null or ({{ gold_is_sale('orders') }}) then 1 else 0 end as is_counted,
        refunds.is_restocked,
        refunds.currency,
        {{ gold_fx_rate('refunds.currency', 'fx') }} as fx_rate,
        {{ gold_fx_rate_date('refunds.currency', 'refunds.business_date', 'fx') }} as fx_rate_date,
        refunds.refund_amount,
        refunds.refund_tax_amount,
        cast(
            refunds.refund_amount - refunds.refund_tax_amount - refunds.refund_surcharge_amount as {{ type_money() }}
        ) as refund_ex_tax_amount,
        refunds.refund_shipping_amount,
        refunds.refund_surcharge_amount
    from {{ ref('refunds') }} as refunds
    {% if is_incremental() %}
    inner join touched on touched.channel = refunds.channel and touched.refund_id = refunds.refund_id
    {% endif %}
    left join {{ ref('orders') }} as orders
        on orders.channel = refunds.channel and orders.order_id = refunds.order_id
    left join {{ ref('fx_daily') }} as fx
        on fx.currency = refunds.currency and fx.rate_date = refunds.business_date
)

select
    channel,
    refund_id,
    order_id,
    order_key,
    refunded_at,
    business_date,
    {{ flag('is_counted = 1') }} as is_counted,
    is_restocked,
    currency,
    fx_rate,
    fx_rate_date,
    refund_amount,
    {{ gold_base('refund_amount', 'fx_rate') }} as refund_base,
    refund_tax_amount,
    {{ gold_base('refund_tax_amount', 'fx_rate') }} as refund_tax_base,
    refund_ex_tax_amount,
    {{ gold_base('refund_ex_tax_amount', 'fx_rate') }} as refund_ex_tax_base,
    refund_shipping_amount,
    {{ gold_base('refund_shipping_amount', 'fx_rate') }} as refund_shipping_base,
    refund_surcharge_amount,
    {{ gold_base('refund_surcharge_amount', 'fx_rate') }} as refund_surcharge_base,
    {{ built_at() }} as built_at
from refunds
