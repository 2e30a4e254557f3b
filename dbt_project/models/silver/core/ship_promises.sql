{{ config(unique_key=['channel', 'order_id'], meta={'bound_by': 'ordered_at'}) }}
{#- By when an order has to be sent, where the channel says so: the earliest of its lines' promises. -#}

with ebay_lines as (
    {{ explode(
        ref('int_orders__ebay'), 'order_lines', ['order_id', 'ordered_at', 'reject_reason', 'built_at'],
        ebay_order_line_fields()
    ) | indent(4) }}
),

promises as (
    select 'etsy' as channel, order_id, promised_ship_at as ship_by_at, ordered_at, built_at
    from {{ ref('stg_etsy__transactions') }}
    union all
    select 'ebay' as channel, order_id, ship_by_at, ordered_at, built_at
    from ebay_lines
    where reject_reason is null
)

select
    channel,
    order_id,
    min(ship_by_at) as ship_by_at,
    min(ordered_at) as ordered_at,
    {{ built_at() }} as built_at
from promises
where built_at > {{ watermark() }} and ship_by_at is not null and ordered_at is not null
group by channel, order_id
