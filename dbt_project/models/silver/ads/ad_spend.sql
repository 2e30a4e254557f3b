{{ config(
    unique_key='business_date', meta={'bound_by': 'business_date', 'bound_slack_days': 0}
) }}
{#-
  What advertising cost, as last told. Platform and campaign are compared without regard to case; two spellings of one
  campaign in a report are one, so they are added up. All of a day is
  written anew when a line of it is told anew.
-#}

with touched as (
    select distinct spend_date
    from {{ ref('stg_ads__spend') }}
    where built_at > {{ watermark() }}
)

select
    staged.spend_date as business_date,
    trim(staged.platform) as platform,
    trim(staged.campaign) as campaign,
    staged.currency,
    cast(sum(staged.spend_amount) as {{ type_money() }}) as spend_amount,
    cast(sum(coalesce(staged.impressions, 0)) as bigint) as impressions,
    cast(sum(coalesce(staged.clicks, 0)) as bigint) as clicks,
    {{ built_at() }} as built_at
from {{ ref('stg_ads__spend') }} as staged
inner join touched on touched.spend_date = staged.spend_date
where {{ ad_spend_rejections('staged') }} is null
{%- if is_incremental() %}
    and staged.spend_date >= {{ earliest_date(ref('stg_ads__spend'), 'spend_date', 'built_at > ' ~ watermark()) }}
{%- endif %}
group by staged.spend_date, trim(staged.platform), trim(staged.campaign), staged.currency
