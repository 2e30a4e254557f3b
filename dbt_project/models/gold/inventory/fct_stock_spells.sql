{%- set touched = gold_touched_items() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_items(), ['item_id']]]) }}"
) }}

{# An item is one physical piece: it is in stock, or sold. A restocked return opens its next spell. #}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}items as (
    select
        items.item_id,
        coalesce(items.acquired_date, {{ business_date('items.first_seen_at') }}) as in_stock_date
    from {{ ref('items') }} as items
    {% if is_incremental() %}
    inner join touched on touched.item_id = items.item_id
    {% endif %}
),

movements as (
    select
        items.item_id,
        items.in_stock_date as moved_date,
        0 as units_out
    from items
    union all
    select
        lines.item_id,
        lines.business_date as moved_date,
        lines.quantity as units_out
    from {{ ref('fct_order_lines') }} as lines
    inner join items on items.item_id = lines.item_id
    where {{ is_true('lines.is_sale') }}
    union all
    select
        refund_lines.item_id,
        refunds.business_date as moved_date,
        -refund_lines.quantity as units_out
    from {{ ref('refund_lines') }} as refund_lines
    inner join items on items.item_id = refund_lines.item_id
    inner join {{ ref('fct_refunds') }} as refunds
        on refunds.channel = refund_lines.channel and refunds.refund_id = refund_lines.refund_id
    where {{ is_true('refund_lines.is_restocked') }} and {{ is_true('refunds.is_counted') }}
),

days as (
    select
        movements.item_id,
        movements.moved_date,
        sum(movements.units_out) as units_out
    from movements
    group by movements.item_id, movements.moved_date
),

states as (
    select
        days.item_id,
        days.moved_date,
        case
            when
                sum(days.units_out) over (
                    partition by days.item_id order by days.moved_date
                    rows between unbounded preceding and current row
                ) > 0
                then 1
            else 0
        end as is_out
    from days
),

previous as (
    select
        states.item_id,
        states.moved_date,
        states.is_out,
        lag(states.is_out) over (partition by states.item_id order by states.moved_date) as was_out
    from states
),

-- Changes between in and out; sold on the day it came in still counts as having been in.
changes as (
    select
        previous.item_id,
        previous.moved_date,
        previous.is_out,
        previous.was_out,
        lead(previous.moved_date) over (partition by previous.item_id order by previous.moved_date) as next_date
    from previous
    where previous.was_out is null or previous.was_out <> previous.is_out
),

spells as (
    select
        changes.item_id,
        changes.moved_date as opened_date,
        case when changes.is_out = 1 then changes.moved_date else changes.next_date end as sold_date
    from changes
    where changes.is_out = 0 or changes.was_out is null
),

-- Out of the catalogue: it has listings, and every current one is archived. Till items without listings stay in.
withdrawals as (
    select
        listings.item_id,
        {{ business_date('max(listings.valid_from)') }} as withdrawn_date
    from {{ ref('listings') }} as listings
    inner join items on items.item_id = listings.item_id
    where {{ is_true('listings.is_current') }}
    group by listings.item_id
    having sum(case when listings.state in ('archived', 'deleted', 'removed') then 0 else 1 end) = 0
),

unit_costs as (
    {{ gold_unit_costs('items') | indent(4) }}
)

select
    spells.item_id,
    cast(row_number() over (partition by spells.item_id order by spells.opened_date) as int) as spell_number,
    case when items.in_stock_date < spells.opened_date then items.in_stock_date else spells.opened_date end
        as in_stock_date,
    spells.opened_date,
    case
        when spells.sold_date is not null then spells.sold_date
        when withdrawals.withdrawn_date < spells.opened_date then spells.opened_date
        else withdrawals.withdrawn_date
    end as closed_date,
    case
        when spells.sold_date is not null then cast('sale' as {{ type_text(20) }})
        when withdrawals.withdrawn_date is not null then cast('withdrawn' as {{ type_text(20) }})
    end as close_reason,
    unit_costs.unit_cost_base as item_cost_base,
    {{ built_at() }} as built_at
from spells
inner join items on items.item_id = spells.item_id
left join withdrawals on withdrawals.item_id = spells.item_id
left join unit_costs on unit_costs.item_id = spells.item_id
