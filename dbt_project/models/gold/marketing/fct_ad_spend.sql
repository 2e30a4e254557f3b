{%- set touched = gold_touched_ad_spend() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_ad_spend(), ['business_date']]]) }}"
) }}

{# All of a day at once: silver replaces its days whole, so that what a report takes back goes. #}
with {% if is_incremental() %}touched_lines as (
    {{ touched }}
),

touched as (
    select distinct touched_lines.business_date
    from touched_lines
),

{% endif %}valued as (
    select
        spend.*,
        {{ gold_fx_rate('spend.currency', 'fx') }} as fx_rate,
        {{ gold_fx_rate_date('spend.currency', 'spend.business_date', 'fx') }} as fx_rate_date
    from {{ ref('ad_spend') }} as spend
    {{- gold_only_touched('spend', ['business_date']) }}
    left join {{ ref('fx_daily') }} as fx
        on fx.currency = spend.currency and fx.rate_date = spend.business_date
)

select
    valued.business_date,
    valued.platform,
    valued.campaign,
    valued.currency,
    valued.fx_rate,
    valued.fx_rate_date,
    valued.spend_amount,
    {{ gold_base('valued.spend_amount', 'valued.fx_rate') }} as spend_base,
    valued.impressions,
    valued.clicks,
    {{ built_at() }} as built_at
from valued
