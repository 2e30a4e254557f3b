{%- set touched = gold_touched_listing_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook=[
        "{{ gold_forget([[gold_touched_listing_days(), ['channel', 'listing_id']]]) }}",
        "{{ gold_forget_future_days() }}",
    ]
) }}

{#
  Listings that changed are built anew for all of their days; of the others only the days since the last build are added.
#}
{%- set last_day = latest_date(ref('agg_daily_sales'), 'business_date') -%}
{%- set known_day = latest_date(this, 'business_date') if is_incremental() else date_literal('1900-01-01') %}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}versions as (
    select
        listings.channel,
        listings.listing_id,
        listings.item_id,
        listings.currency,
        listings.price_amount,
        listings.valid_from,
        {{ business_date('listings.valid_from') }} as first_date,
        coalesce({{ business_date('listings.valid_to') }}, {{ last_day }}) as last_date,
        {% if is_incremental() -%}
        case when touched.listing_id is null then {{ known_day }} else {{ date_literal('1900-01-01') }} end as known_date
        {%- else -%}
        {{ date_literal('1900-01-01') }} as known_date
        {%- endif %}
    from {{ ref('dim_listing') }} as listings
    {%- if is_incremental() %}
    left join touched on touched.channel = listings.channel and touched.listing_id = listings.listing_id
    {%- endif %}
    where
        listings.state = 'active'
        and coalesce(listings.quantity, 1) > 0
        {%- if is_incremental() %}
        and (touched.listing_id is not null or listings.valid_to is null or {{ business_date('listings.valid_to') }} > {{ known_day }})
        {%- endif %}
),

days as (
    select
        versions.channel,
        versions.listing_id,
        versions.item_id,
        dates.calendar_date as business_date,
        versions.currency,
        versions.price_amount,
        row_number() over (
            partition by versions.channel, versions.listing_id, dates.calendar_date order by versions.valid_from desc
        ) as recency
    from versions
    inner join {{ ref('dim_date') }} as dates
        on
            dates.calendar_date >= versions.first_date
            and dates.calendar_date <= versions.last_date
            and dates.calendar_date > versions.known_date
    where dates.calendar_date <= {{ last_day }}
)

select
    days.channel,
    days.listing_id,
    days.business_date,
    days.item_id,
    days.currency,
    days.price_amount,
    {{ built_at() }} as built_at
from days
where days.recency = 1
