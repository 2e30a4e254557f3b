{%- set touched = gold_touched_campaign_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_campaign_days(), ['business_date']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}spent as (
    select
        spend.business_date,
        spend.campaign,
        {{ gold_sum('spend.spend_base') }} as spend_base,
        sum(spend.impressions) as impressions,
        sum(spend.clicks) as clicks
    from {{ ref('fct_ad_spend') }} as spend
    {{- gold_only_touched('spend', ['business_date']) }}
    group by spend.business_date, spend.campaign
),

earned as (
    select
        attributions.business_date,
        attributions.last_campaign as campaign,
        count(*) as orders,
        {{ gold_sum('attributions.net_base') }} as net_base
    from {{ ref('fct_attributions') }} as attributions
    {{- gold_only_touched('attributions', ['business_date']) }}
    where {{ is_true('attributions.is_sale') }} and attributions.last_campaign is not null
    group by attributions.business_date, attributions.last_campaign
),

campaign_days as (
    select spent.business_date, spent.campaign
    from spent
    union
    select earned.business_date, earned.campaign
    from earned
),

paid as (
    select distinct campaign_days.business_date, campaign_days.campaign
    from campaign_days
    inner join {{ ref('fct_ad_spend') }} as spend
        on spend.campaign = campaign_days.campaign
        and spend.business_date <= campaign_days.business_date
        and campaign_days.business_date < {{ add_days('spend.business_date', attribution_days()) }}
    where spend.spend_amount > 0
)

select
    campaign_days.business_date,
    campaign_days.campaign,
    {{ flag('paid.campaign is not null') }} as is_paid,
    cast(coalesce(spent.spend_base, 0) as {{ type_money() }}) as spend_base,
    cast(coalesce(spent.impressions, 0) as bigint) as impressions,
    cast(coalesce(spent.clicks, 0) as bigint) as clicks,
    cast(coalesce(earned.orders, 0) as int) as orders,
    cast(coalesce(earned.net_base, 0) as {{ type_money() }}) as net_base,
    {{ built_at() }} as built_at
from campaign_days
left join spent on spent.business_date = campaign_days.business_date and spent.campaign = campaign_days.campaign
left join earned on earned.business_date = campaign_days.business_date and earned.campaign = campaign_days.campaign
left join paid on paid.business_date = campaign_days.business_date and paid.campaign = campaign_days.campaign
