{{ config(unique_key='person_id', pre_hook="{{ forget_linked() }}") }}
{#-
  People by their random id, over all channels. Each build merges what is new into what the table holds, so its cost follows
  the new orders; of country, postcode area and locale, and of the consent, the newest statement counts.
-#}
{%- set channels = ['ebay', 'etsy', 'pos', 'shopify'] -%}

with statements as (
    select
        person_id,
        channel,
        ordered_at as first_seen_at,
        ordered_at as last_seen_at,
        ship_country as country,
        ship_postcode_area as postcode_area,
        customer_locale as locale,
        case when ship_country is not null then ordered_at end as profile_at,
        email_consent,
        case when email_consent is not null then version_at end as consent_at
    from {{ ref('int_orders__shopify') }}
    where built_at > {{ watermark() }} and person_id is not null and reject_reason is null
    {%- for model in channel_models('orders') if model != 'int_orders__shopify' %}
    union all
    select
        person_id,
        channel,
        ordered_at as first_seen_at,
        ordered_at as last_seen_at,
        ship_country as country,
        ship_postcode_area as postcode_area,
        customer_locale as locale,
        case when ship_country is not null then ordered_at end as profile_at,
        email_consent,
        {{ null_time() }} as consent_at
    from {{ ref(model) }}
    where built_at > {{ watermark() }} and person_id is not null and reject_reason is null
    {%- endfor %}
    union all
    select
        person_id,
        'shopify' as channel,
        created_at as first_seen_at,
        created_at as last_seen_at,
        country,
        postcode_area,
        locale,
        case when country is not null then version_at end as profile_at,
        {{ flag("email_marketing_state = 'subscribed'") }} as email_consent,
        version_at as consent_at
    from {{ ref('stg_shopify__customers') }}
    where built_at > {{ watermark() }} and person_id is not null
    union all
    -- Square asks for no consent: it knows only who took it back.
    select
        person_id,
        'pos' as channel,
        created_at as first_seen_at,
        created_at as last_seen_at,
        country,
        postcode_area,
        {{ null_text() }} as locale,
        case when country is not null then version_at end as profile_at,
        {{ flag_literal(false) }} as email_consent,
        case when {{ is_true('is_email_unsubscribed') }} then version_at end as consent_at
    from {{ ref('stg_square__customers') }}
    where built_at > {{ watermark() }} and person_id is not null
),

new_people as (
    select distinct person_id
    from statements
),

merged as (
    select statements.*
    from statements
    {%- if is_incremental() %}
    union all
    select
        known.person_id,
        known.channels as channel,
        known.first_seen_at,
        known.last_seen_at,
        known.country,
        known.postcode_area,
        known.locale,
        known.profile_at,
        known.email_consent,
        known.consent_at
    from {{ this }} as known
    inner join new_people on new_people.person_id = known.person_id
    {%- endif %}
),

ranked as (
    select
        merged.*,
        row_number() over (
            partition by person_id
            order by case when profile_at is null then 1 else 0 end, profile_at desc, country, postcode_area, locale
        ) as profile_rank,
        row_number() over (
            partition by person_id
            order by case when consent_at is null then 1 else 0 end, consent_at desc,
                case when {{ is_true('email_consent') }} then 1 else 0 end
        ) as consent_rank
    from merged
),

people as (
    select
        person_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        max(case when profile_rank = 1 then country end) as country,
        max(case when profile_rank = 1 then postcode_area end) as postcode_area,
        max(case when profile_rank = 1 then locale end) as locale,
        max(case when profile_rank = 1 then profile_at end) as profile_at,
        max(case when consent_rank = 1 and {{ is_true('email_consent') }} then 1 else 0 end) as has_consent,
        max(case when consent_rank = 1 then consent_at end) as consent_at,
        {%- for channel in channels %}
        max(case when channel like '%{{ channel }}%' then ',{{ channel }}' else '' end) as on_{{ channel }} {{- ',' if not loop.last }}
        {%- endfor %}
    from ranked
    group by person_id
)

select
    person_id,
    first_seen_at,
    last_seen_at,
    country,
    postcode_area,
    locale,
    {{ flag('has_consent = 1') }} as email_consent,
    substring(concat({% for channel in channels %}on_{{ channel }}{{ ', ' if not loop.last }}{% endfor %}), 2, 100)
        as channels,
    profile_at,
    consent_at,
    {{ built_at() }} as built_at
from people
