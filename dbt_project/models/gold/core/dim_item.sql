{%- set touched = gold_rebuilt_items() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_rebuilt_items(), ['item_id']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}items as (
    select items.*
    from {{ ref('items') }} as items
    {% if is_incremental() %}
    inner join touched on touched.item_id = items.item_id
    {% endif %}
),

last_spells as (
    select
        spells.item_id,
        max(spells.spell_number) as spell_number
    from {{ ref('fct_stock_spells') }} as spells
    inner join items on items.item_id = spells.item_id
    group by spells.item_id
),

ranked_sales as (
    select
        lines.item_id,
        lines.channel,
        lines.order_id,
        lines.business_date,
        row_number() over (
            partition by lines.item_id
            order by lines.business_date desc, lines.ordered_at desc, lines.channel, lines.order_id, lines.line_id
        ) as recency
    from {{ ref('fct_order_lines') }} as lines
    inner join items on items.item_id = lines.item_id
    where {{ is_true('lines.is_sale') }}
),

first_listings as (
    select
        listings.item_id,
        min(listings.valid_from) as first_listed_at
    from {{ ref('dim_listing') }} as listings
    inner join items on items.item_id = listings.item_id
    group by listings.item_id
)

select
    items.item_id,
    items.title,
    items.category,
    items.era,
    items.maker,
    items.material,
    items.condition,
    spells.in_stock_date,
    first_listings.first_listed_at,
    spells.spell_number,
    spells.closed_date,
    spells.close_reason,
    {{ flag('spells.closed_date is null') }} as is_open,
    sales.channel as last_sale_channel,
    sales.order_id as last_sale_order_id,
    sales.business_date as last_sale_date,
    cast(case when spells.close_reason = 'sale' then {{ days_between('spells.in_stock_date', 'spells.closed_date') }} end
        as int) as days_to_sell,
    spells.item_cost_base,
    {{ built_at() }} as built_at
from items
left join last_spells on last_spells.item_id = items.item_id
left join {{ ref('fct_stock_spells') }} as spells
    on spells.item_id = last_spells.item_id and spells.spell_number = last_spells.spell_number
left join ranked_sales as sales on sales.item_id = items.item_id and sales.recency = 1
left join first_listings on first_listings.item_id = items.item_id
