{%- set touched = gold_touched_fees() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_fees(), ['channel', 'fee_id']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}fees as (
    select
        fees.channel,
        fees.fee_id,
        fees.order_id,
        fees.payout_id,
        fees.fee_type,
        fees.charged_at,
        fees.business_date,
        fees.currency,
        {{ gold_fx_rate('fees.currency', 'fx') }} as fx_rate,
        {{ gold_fx_rate_date('fees.currency', 'fees.business_date', 'fx') }} as fx_rate_date,
        fees.fee_amount
    from {{ ref('fees') }} as fees
    {% if is_incremental() %}
    inner join touched on touched.channel = fees.channel and touched.fee_id = fees.fee_id
    {% endif %}
    left join {{ ref('fx_daily') }} as fx
        on fx.currency = fees.currency and fx.rate_date = fees.business_date
)

select
    channel,
    fee_id,
    order_id,
    payout_id,
    fee_type,
    charged_at,
    business_date,
    currency,
    fx_rate,
    fx_rate_date,
    fee_amount,
    {{ gold_base('fee_amount', 'fx_rate') }} as fee_base,
    {{ built_at() }} as built_at
from fees
