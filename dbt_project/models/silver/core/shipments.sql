{{ config(
    unique_key=['channel', 'order_id'],
    meta={'bound_by': 'ordered_at', 'keep_where': 'shipment_id is not null'}
) }}
{#-
  Parcels sent. An export knows at most one an order. A parcel's state is the carrier's once it scanned the parcel, and the
  channel's until then; when a carrier tells something new, all parcels of that order are written anew.
-#}

with shopify_orders as (
    {{ fresh_orders('int_orders__shopify') | indent(4) }}
),

export_orders as (
    {{ fresh_orders('int_orders__exports') | indent(4) }}
),

parcels as (
    select fulfillments.*
    from {{ ref('stg_shopify__fulfillments') }} as fulfillments
    {%- if is_incremental() %}
    where fulfillments.ordered_at >= {{ earliest_fresh('int_orders__shopify') }}
    {%- endif %}
),

told as (
    select
        orders.channel,
        parcels.shipment_id,
        orders.order_id,
        {{ first_of('parcels.tracking', 'company') }} as carrier,
        {{ first_of('parcels.tracking', 'number') }} as tracking_number,
        coalesce(parcels.display_status, parcels.status) as channel_status,
        parcels.created_at as shipped_at,
        parcels.estimated_at as promised_at,
        parcels.delivered_at as channel_delivered_at,
        orders.ordered_at
    from shopify_orders as orders
    left join parcels on parcels.order_id = orders.order_id
    union all
    select
        channel,
        case when shipped_at is not null then concat('export:', order_id) end as shipment_id,
        order_id,
        {{ null_text() }} as carrier,
        tracking_number,
        'fulfilled' as channel_status,
        shipped_at,
        {{ null_time() }} as promised_at,
        {{ null_time() }} as channel_delivered_at,
        ordered_at
    from export_orders
    {{- and_channels('shipments', [
        'channel', 'shipment_id', 'order_id', 'carrier', 'tracking_number', 'status as channel_status', 'shipped_at',
        null_time() ~ ' as promised_at', 'delivered_at as channel_delivered_at', 'ordered_at',
    ]) }}
),

sent as (
    select told.*
    from told
    {%- if is_incremental() %}
    union all
    -- Orders that are not told of anew, but one of whose parcels was scanned.
    select
        known.channel, known.shipment_id, known.order_id, known.carrier, known.tracking_number, known.channel_status,
        known.shipped_at, known.promised_at, known.channel_delivered_at, known.ordered_at
    from {{ this }} as known
    inner join (
        select distinct moved.channel, moved.order_id
        from {{ this }} as moved
        inner join {{ ref('tracking_states') }} as states
            on states.tracking_number = {{ tracking_key('moved.tracking_number') }}
        where states.built_at > {{ watermark() }}
            and moved.ordered_at >= {{ earliest_fresh('tracking_states', 'first_event_at', slack_days=200) }}
    ) as scanned on scanned.channel = known.channel and scanned.order_id = known.order_id
    where not exists (
        select 1
        from told
        where told.channel = known.channel and told.order_id = known.order_id
    )
    {%- endif %}
)

select
    sent.channel,
    sent.shipment_id,
    sent.order_id,
    sent.carrier,
    sent.tracking_number,
    case when states.first_scan_at is not null then states.status
        else coalesce(meanings.status, sent.channel_status, states.status) end as status,
    sent.channel_status,
    states.status as carrier_status,
    sent.shipped_at,
    sent.promised_at,
    states.first_scan_at,
    coalesce(states.delivered_at, sent.channel_delivered_at) as delivered_at,
    states.returned_at,
    states.last_event_at,
    sent.channel_delivered_at,
    sent.ordered_at,
    {{ built_at() }} as built_at
from sent
left join {{ ref('tracking_states') }} as states
    on states.tracking_number = {{ tracking_key('sent.tracking_number') }}
left join {{ ref('tracking_statuses') }} as meanings
    on meanings.provider = sent.channel and meanings.provider_status = sent.channel_status
    and meanings.provider_detail = ''
{%- if not is_incremental() %}
where sent.shipment_id is not null
{%- endif %}
