{%- set touched = gold_touched_payout_records() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_payout_records(), ['channel', 'payout_id']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}payouts as (
    select
        payouts.channel,
        payouts.payout_id,
        payouts.issued_at,
        payouts.business_date,
        payouts.status,
        payouts.currency,
        {{ gold_fx_rate('payouts.currency', 'fx') }} as fx_rate,
        {{ gold_fx_rate_date('payouts.currency', 'payouts.business_date', 'fx') }} as fx_rate_date,
        payouts.gross_amount,
        cast(payouts.gross_amount - payouts.net_amount as {{ type_money() }}) as fee_amount,
        payouts.net_amount
    from {{ ref('payouts') }} as payouts
    {% if is_incremental() %}
    inner join touched on touched.channel = payouts.channel and touched.payout_id = payouts.payout_id
    {% endif %}
    left join {{ ref('fx_daily') }} as fx
        on fx.currency = payouts.currency and fx.rate_date = payouts.business_date
)

select
    channel,
    payout_id,
    issued_at,
    business_date,
    status,
    currency,
    fx_rate,
    fx_rate_date,
    gross_amount,
    {{ gold_base('gross_amount', 'fx_rate') }} as gross_base,
    fee_amount,
    {{ gold_base('fee_amount', 'fx_rate') }} as fee_base,
    net_amount,
    {{ gold_base('net_amount', 'fx_rate') }} as net_base,
    {{ built_at() }} as built_at
from payouts
