{%- set touched = gold_touched_fee_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_fee_days(), ['business_date']]]) }}"
) }}

select
    fees.business_date,
    fees.channel,
    fees.fee_type,
    cast(count(*) as int) as fees,
    {{ gold_sum('fees.fee_base') }} as fee_base,
    {{ built_at() }} as built_at
from {{ ref('fct_fees') }} as fees
{% if is_incremental() %}
inner join (
    {{ touched }}
) as touched on touched.business_date = fees.business_date
{% endif %}
group by fees.business_date, fees.channel, fees.fee_type
