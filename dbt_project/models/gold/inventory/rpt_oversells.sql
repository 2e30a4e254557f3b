{%- set touched = gold_touched_items() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_items(), ['item_id']]]) }}"
) }}

{#
  A sale holds its piece from the moment it is made until it is cancelled or the piece is back in stock. Another sale
  in between is an oversell. Pieces of which there ever was more than one (a listing or a stock count says so) are left
  out.
#}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}sold as (
    select
        lines.item_id,
        lines.channel,
        lines.order_id,
        lines.line_id,
        lines.title,
        lines.ordered_at,
        lines.business_date,
        lines.price_base,
        orders.status,
        orders.cancelled_at
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ ref('fct_orders') }} as orders
        on
            orders.channel = lines.channel
            and orders.order_id = lines.order_id
            and orders.business_date = lines.business_date
    {{- gold_only_touched('lines', ['item_id']) }}
    where {{ is_true('lines.is_sale') }} and lines.item_id is not null
),

-- Most pieces are sold once, and need not be put in order.
sales as (
    select sold.*
    from sold
    inner join (
        select sold.item_id
        from sold
        group by sold.item_id
        having count(*) > 1
    ) as again on again.item_id = sold.item_id
),

several as (
    {{ gold_items_with_several() | indent(4) }}
),

given_back as (
    select
        refund_lines.item_id,
        refund_lines.channel,
        refund_lines.order_id,
        refund_lines.line_id,
        refunds.refunded_at
    from {{ ref('refund_lines') }} as refund_lines
    inner join {{ ref('fct_refunds') }} as refunds
        on refunds.channel = refund_lines.channel and refunds.refund_id = refund_lines.refund_id
    {{- gold_only_touched('refund_lines', ['item_id']) }}
    where {{ is_true('refund_lines.is_restocked') }}
),

ends as (
    select sales.channel, sales.order_id, sales.line_id, sales.cancelled_at as ended_at
    from sales
    where sales.cancelled_at is not null
    union all
    select sales.channel, sales.order_id, sales.line_id, given_back.refunded_at as ended_at
    from sales
    inner join given_back
        on
            given_back.channel = sales.channel
            and given_back.order_id = sales.order_id
            and given_back.line_id = sales.line_id
    union all
    -- A till's return does not say which sale it takes back: the one before it.
    select sales.channel, sales.order_id, sales.line_id, given_back.refunded_at as ended_at
    from sales
    inner join given_back
        on
            given_back.channel = sales.channel
            and given_back.item_id = sales.item_id
            and given_back.line_id is null
            and given_back.refunded_at >= sales.ordered_at
),

first_ends as (
    select ends.channel, ends.order_id, ends.line_id, min(ends.ended_at) as ended_at
    from ends
    group by ends.channel, ends.order_id, ends.line_id
),

held as (
    select
        sales.item_id,
        sales.channel,
        sales.order_id,
        sales.line_id,
        sales.title,
        sales.ordered_at,
        sales.business_date,
        sales.price_base,
        sales.status,
        sales.cancelled_at,
        first_ends.ended_at,
        row_number() over (
            partition by sales.item_id order by sales.ordered_at, sales.channel, sales.order_id, sales.line_id
        ) as sale_number
    from sales
    left join first_ends
        on
            first_ends.channel = sales.channel
            and first_ends.order_id = sales.order_id
            and first_ends.line_id = sales.line_id
    where not exists (select 1 from several where several.item_id = sales.item_id)
),

pairs as (
    select
        later.item_id,
        later.channel,
        later.order_id,
        later.line_id,
        later.title,
        later.ordered_at,
        later.business_date,
        later.price_base,
        later.status,
        later.cancelled_at,
        earlier.channel as holding_channel,
        earlier.order_id as holding_order_id,
        earlier.ordered_at as holding_ordered_at,
        row_number() over (
            partition by later.channel, later.order_id, later.line_id order by earlier.sale_number
        ) as holding_rank
    from held as later
    inner join held as earlier on earlier.item_id = later.item_id and earlier.sale_number < later.sale_number
    where earlier.ended_at is null or earlier.ended_at > later.ordered_at
)

select
    pairs.channel,
    pairs.order_id,
    pairs.line_id,
    pairs.item_id,
    pairs.title,
    pairs.ordered_at,
    pairs.business_date,
    pairs.price_base,
    pairs.status,
    pairs.cancelled_at,
    pairs.holding_channel,
    pairs.holding_order_id,
    pairs.holding_ordered_at,
    cast({{ units_between('minute', 'pairs.holding_ordered_at', 'pairs.ordered_at') }} as int) as minutes_after_sale,
    {{ built_at() }} as built_at
from pairs
where pairs.holding_rank = 1
