{{ config(materialized='table') }}

{# Made anew: a delivery that is told of anew may leave its day. Percentiles by nearest rank, of whole days. #}
with delivered as (
    select
        shipments.delivered_date as business_date,
        shipments.channel,
        shipments.shipment_id,
        coalesce(shipments.zone, 'unknown') as zone,
        shipments.delivery_days
    from {{ ref('fct_shipments') }} as shipments
    where shipments.carrier is not null and shipments.delivery_days is not null
),

by_channel as (
    {{ with_all_channels('delivered', ['business_date', 'shipment_id', 'zone', 'delivery_days', 'channel as sold_on']) }}
),

scoped as (
    select by_channel.*, by_channel.zone as scope
    from by_channel
    union all
    select by_channel.*, 'all' as scope
    from by_channel
),

ranked as (
    select
        scoped.business_date,
        scoped.channel,
        scoped.scope,
        scoped.delivery_days,
        row_number() over (
            partition by scoped.business_date, scoped.channel, scoped.scope
            order by scoped.delivery_days, scoped.sold_on, scoped.shipment_id
        ) as place,
        count(*) over (partition by scoped.business_date, scoped.channel, scoped.scope) as places
    from scoped
)

select
    ranked.business_date,
    cast(ranked.channel as {{ type_text(20) }}) as channel,
    cast(ranked.scope as {{ type_text(100) }}) as zone,
    cast(count(*) as int) as shipments,
    cast({{ percentile('ranked.delivery_days', 50) }} as int) as delivery_days_p50,
    cast({{ percentile('ranked.delivery_days', 90) }} as int) as delivery_days_p90,
    {{ built_at() }} as built_at
from ranked
group by ranked.business_date, ranked.channel, ranked.scope
