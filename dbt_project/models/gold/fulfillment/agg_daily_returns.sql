{{ config(materialized='table') }}

{# Made anew: what comes back changes the day it was sold on, however long ago that is. #}
with returned as (
    select
        refund_lines.channel,
        refund_lines.order_id,
        refund_lines.line_id,
        sum(refund_lines.quantity) as quantity
    from {{ ref('refund_lines') }} as refund_lines
    where refund_lines.line_id is not null
    group by refund_lines.channel, refund_lines.order_id, refund_lines.line_id
),

sold as (
    select lines.business_date, lines.channel, lines.quantity as sold, coalesce(returned.quantity, 0) as returned
    from {{ ref('fct_order_lines') }} as lines
    left join returned
        on
            returned.channel = lines.channel
            and returned.order_id = lines.order_id
            and returned.line_id = lines.line_id
    where {{ is_true('lines.is_sale') }}
),

scoped as (
    {{ with_all_channels('sold', ['business_date', 'sold', 'returned']) }}
),

daily as (
    select
        scoped.business_date,
        scoped.channel,
        sum(scoped.sold) as units_sold,
        sum(scoped.returned) as units_returned
    from scoped
    group by scoped.business_date, scoped.channel
)

select
    daily.business_date,
    cast(daily.channel as {{ type_text(20) }}) as channel,
    cast(daily.units_sold as int) as units_sold,
    cast(daily.units_returned as int) as units_returned,
    {{ quotient('daily.units_returned', 'daily.units_sold', 8) }} as return_rate,
    {{ built_at() }} as built_at
from daily
