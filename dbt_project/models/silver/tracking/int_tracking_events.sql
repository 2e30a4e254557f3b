{{ config(unique_key='event_id', meta={
    'bound_by': 'bound_at', 'bound_slack_days': 0,
    'version_by': ['provider', 'carrier', 'provider_status', 'provider_detail']
}) }}
{#-
  Everything that was told of a parcel, once, in canonical words, with the reasons that keep it out of
  silver.tracking_events. The same event told again, by another version, provider or webhook, is the same row; which of
  them is kept does not depend on the order of arrival. A tracker's present status counts as an event of its own only
  where none of its scans says the same: some states (expired, cancelled) are never scanned.
-#}

{%- set providers = ['easypost', 'aftership', 'shippo', 'seventeentrack'] -%}
{%- set models = {
    'easypost': ref('int_tracking_scans__easypost'), 'aftership': ref('int_tracking_scans__aftership'),
    'shippo': ref('int_tracking_scans__shippo'), 'seventeentrack': ref('int_tracking_scans__seventeentrack'),
} %}

with told as (
    {%- for provider in providers %}
    select
        provider, record_id, tracking_number, carrier, version_at, is_summary, occurred_at, provider_status,
        provider_detail, country, region, postcode_area
    from {{ models[provider] }}
    where built_at > {{ watermark() }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

translated as (
    select
        told.provider,
        told.record_id,
        {{ tracking_key('told.tracking_number') }} as tracking_number,
        coalesce(told.carrier, '') as carrier,
        told.version_at,
        told.is_summary,
        told.occurred_at,
        coalesce(told.provider_status, '') as provider_status,
        coalesce(told.provider_detail, '') as provider_detail,
        told.country,
        told.region,
        told.postcode_area,
        coalesce(exactly.status, generally.status) as status
    from told
    left join {{ ref('tracking_statuses') }} as exactly
        on exactly.provider = told.provider
        and exactly.provider_status = told.provider_status
        and exactly.provider_detail = told.provider_detail
        and exactly.provider_detail <> ''
    left join {{ ref('tracking_statuses') }} as generally
        on generally.provider = told.provider
        and generally.provider_status = told.provider_status
        and generally.provider_detail = ''
),

weighed as (
    select
        translated.*,
        max(1 - is_summary) over (
            partition by record_id, coalesce(status, concat(provider_status, '/', provider_detail))
        ) as is_scanned
    from translated
),

keyed as (
    select
        {{ hash_key([
            'tracking_number', iso_text('occurred_at'),
            "coalesce(status, concat(provider_status, '/', provider_detail))",
            "concat(country, '/', region, '/', postcode_area)"
        ]) }} as event_id,
        weighed.*
    from weighed
    where is_summary = 0 or is_scanned = 0
),

numbered as (
    select
        keyed.*,
        row_number() over (
            partition by event_id
            order by provider desc, carrier desc, provider_status desc, provider_detail desc, version_at, record_id
        ) as place
    from keyed
)

select
    event_id,
    tracking_number,
    carrier,
    occurred_at,
    status,
    {{ tracking_state_number('status', 1) }} as status_rank,
    {{ flag(tracking_state_number('status', 2) ~ ' = 1') }} as is_scan,
    provider,
    provider_status,
    provider_detail,
    country,
    region,
    postcode_area,
    {{ first_reasons([
        ["coalesce(tracking_number, '') = ''", 'no tracking number'],
        ['occurred_at is null', 'no time'],
        ['status is null', 'unknown status'],
    ]) }} as reject_reason,
    coalesce(occurred_at, {{ time_literal('1970-01-01 00:00:00.000000') }}) as bound_at,
    {{ built_at() }} as built_at
from numbered
where place = 1
