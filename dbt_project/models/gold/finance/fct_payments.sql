{%- set touched = gold_touched_payments() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([
        [gold_touched_payments(), ['channel', 'payment_id']],
        [gold_changed_orders(), ['channel', 'order_id']],
    ]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}dated as (
    select
        payments.*,
        {{ business_date('payments.paid_at') }} as business_date
    from {{ ref('payments') }} as payments
    {% if is_incremental() %}
    inner join touched on touched.channel = payments.channel and touched.payment_id = payments.payment_id
    {% endif %}
),

valued as (
    select
        dated.*,
        {{ gold_fx_rate('dated.currency', 'fx') }} as fx_rate,
        {{ gold_fx_rate_date('dated.currency', 'dated.business_date', 'fx') }} as fx_rate_date
    from dated
    left join {{ ref('fx_daily') }} as fx
        on fx.currency = dated.currency and fx.rate_date = dated.business_date
)

select
    channel,
    payment_id,
    order_id,
    paid_at,
    business_date,
    kind,
    status,
    gateway,
    is_test,
    currency,
    fx_rate,
    fx_rate_date,
    payment_amount,
    {{ gold_base('payment_amount', 'fx_rate') }} as payment_base,
    {{ built_at() }} as built_at
from valued
