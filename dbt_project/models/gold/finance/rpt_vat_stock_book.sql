{%- set touched = gold_touched_items() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([
        ['select items.item_id as stock_number from (' ~ gold_touched_items() ~ ') as items', ['stock_number']],
    ]) }}"
) }}

{#
  A row for each sale of a piece, and one for a piece that was never sold. Buyers are pseudonyms: when a person is erased
  nobody can tell any more whose they are, and the entry, which the law wants kept, stays.
#}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}items as (
    select
        items.item_id,
        items.title,
        items.category,
        items.condition,
        coalesce(items.acquired_date, {{ business_date('items.first_seen_at') }}) as acquired_date
    from {{ ref('items') }} as items
    {{- gold_only_touched('items', ['item_id']) }}
),

costs as (
    select
        costs.item_id,
        {{ gold_sum_known('costs.cost_base') }} as total_cost_base,
        -- Unknown as soon as one of its parts is, and where there is no purchase at all.
        case
            when sum(case when costs.kind in {{ margin_purchase_kinds() }} then 1 else 0 end)
                = count(case when costs.kind in {{ margin_purchase_kinds() }} then costs.cost_base end)
                then {{ as_money('sum(case when costs.kind in ' ~ margin_purchase_kinds() ~ ' then costs.cost_base end)') }}
        end as purchase_base
    from {{ ref('fct_item_costs') }} as costs
    inner join items on items.item_id = costs.item_id
    group by costs.item_id
),

given_back as (
    select
        shares.channel,
        shares.order_key,
        shares.line_id,
        {{ gold_sum('shares.refund_base') }} as refunded_base
    from {{ ref('int_refund_shares') }} as shares
    inner join items on items.item_id = shares.item_id
    where {{ is_true('shares.is_counted') }} and shares.line_id is not null
    group by shares.channel, shares.order_key, shares.line_id
),

sales as (
    select
        lines.item_id,
        lines.channel,
        lines.order_id,
        lines.line_id,
        lines.business_date,
        lines.quantity,
        lines.tax_amount,
        lines.line_total_base,
        orders.order_name,
        orders.person_id,
        coalesce(given_back.refunded_base, 0) as refunded_base,
        row_number() over (
            partition by lines.item_id order by lines.ordered_at, lines.channel, lines.order_id, lines.line_id
        ) as entry_number
    from {{ ref('fct_order_lines') }} as lines
    inner join items on items.item_id = lines.item_id
    inner join {{ ref('fct_orders') }} as orders
        on orders.channel = lines.channel and orders.order_id = lines.order_id
    left join given_back
        on
            given_back.channel = lines.channel
            and given_back.order_key = lines.order_id
            and given_back.line_id = lines.line_id
    where {{ is_true('lines.is_sale') }}
),

entries as (
    select
        items.item_id,
        coalesce(sales.entry_number, 1) as entry_number,
        items.title,
        items.category,
        items.acquired_date,
        cast(costs.purchase_base * coalesce(sales.quantity, 1) as {{ type_money() }}) as purchase_base,
        cast(costs.total_cost_base * coalesce(sales.quantity, 1) as {{ type_money() }}) as total_cost_base,
        sales.channel,
        sales.order_id,
        sales.line_id,
        sales.order_name,
        sales.person_id,
        sales.business_date,
        sales.quantity,
        sales.line_total_base,
        sales.refunded_base,
        cast(
            sales.line_total_base - sales.refunded_base - costs.purchase_base * sales.quantity as {{ type_money() }}
        ) as margin_base,
        case
            when sales.line_id is not null
                and {{ in_margin_scheme('items.condition', 'costs.purchase_base', 'sales.tax_amount') }} then 1
            else 0
        end as is_in_scheme
    from items
    left join sales on sales.item_id = items.item_id
    left join costs on costs.item_id = items.item_id
)

select
    entries.item_id as stock_number,
    cast(entries.entry_number as int) as entry_number,
    entries.title as description,
    coalesce(entries.category, 'unknown') as category,
    entries.acquired_date,
    {{ null_text() }} as purchase_invoice,
    {{ null_text() }} as seller_id,
    entries.purchase_base as margin_purchase_price_base,
    entries.total_cost_base,
    entries.business_date as sale_date,
    entries.channel as sale_channel,
    entries.order_id as sale_order_id,
    entries.line_id as sale_line_id,
    entries.order_name as sale_invoice,
    entries.person_id as buyer_id,
    cast(entries.quantity as int) as quantity,
    entries.line_total_base as sale_price_base,
    cast(entries.refunded_base as {{ type_money() }}) as refunded_base,
    {{ flag('entries.is_in_scheme = 1') }} as is_margin_scheme,
    case when entries.is_in_scheme = 1 then entries.margin_base end as margin_base,
    cast(
        case when entries.is_in_scheme = 1 then {{ margin_scheme_vat('entries.margin_base') }} end as {{ type_money() }}
    ) as vat_base,
    {{ built_at() }} as built_at
from entries
