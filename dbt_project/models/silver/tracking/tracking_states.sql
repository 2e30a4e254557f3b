{{ config(unique_key='tracking_number', meta={'bound_by': 'first_event_at', 'bound_slack_days': 200}) }}
{#-
  Where a parcel is, from all its events: the same whatever order, repetition or portion they arrived in. Delivered is
  final but for an event of its return at the same time or later; a delivery after such an event is its arrival back with
  the sender. Before a delivery the latest event counts (of the same second the one of the highest rank), and "pending"
  only where nothing else is known. A parcel lives for less than 200 days.
-#}

with touched as (
    select distinct tracking_number
    from {{ ref('tracking_events') }}
    where built_at > {{ watermark() }}
),

events as (
    select
        events.*,
        min(case when events.status = 'delivered' then events.occurred_at end) over (
            partition by events.tracking_number
        ) as delivered_at
    from {{ ref('tracking_events') }} as events
    inner join touched on touched.tracking_number = events.tracking_number
    {%- if is_incremental() %}
    where events.occurred_at >= {{ earliest(
        ref('tracking_events'), 'occurred_at', 'built_at > ' ~ watermark(), slack_days=200
    ) }}
    {%- endif %}
),

going_back as (
    select
        events.*,
        min(case
            when events.status in ('returning', 'returned')
                and (events.delivered_at is null or events.occurred_at >= events.delivered_at)
                then events.occurred_at
        end) over (partition by events.tracking_number) as return_began_at
    from events
),

placed as (
    select
        going_back.*,
        case
            when going_back.status = 'returned' and going_back.occurred_at >= going_back.return_began_at
                then going_back.occurred_at
            when going_back.status = 'delivered' and going_back.occurred_at > going_back.return_began_at
                then going_back.occurred_at
        end as came_back_at,
        row_number() over (
            partition by going_back.tracking_number
            order by
                case when going_back.status = 'pending' then 0 else 1 end desc,
                going_back.occurred_at desc,
                going_back.status_rank desc,
                going_back.event_id desc
        ) as place
    from going_back
)

select
    tracking_number,
    max(carrier) as carrier,
    case
        when max(delivered_at) is null then max(case when place = 1 then status end)
        when max(came_back_at) is not null then 'returned'
        when max(return_began_at) is not null then 'returning'
        else 'delivered'
    end as status,
    min(case when {{ is_true('is_scan') }} then occurred_at end) as first_scan_at,
    max(delivered_at) as delivered_at,
    min(came_back_at) as returned_at,
    min(occurred_at) as first_event_at,
    max(occurred_at) as last_event_at,
    count(*) as event_count,
    {{ built_at() }} as built_at
from placed
group by tracking_number
