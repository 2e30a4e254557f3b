{{ config(materialized='table') }}

{#
  What was known of a piece on the day it was first listed: its first offer, its own words, and what its category had sold in
  the 90 days before that day. What came of it stands apart, as labels.
#}
with as_of as (
    select max(sales.business_date) as observed_date
    from {{ ref('agg_daily_sales') }} as sales
),

ranked as (
    select
        listings.item_id,
        listings.channel,
        listings.title,
        listings.price_amount,
        listings.currency,
        listings.valid_from,
        row_number() over (
            partition by listings.item_id order by listings.valid_from, listings.channel, listings.listing_id
        ) as place
    from {{ ref('dim_listing') }} as listings
    where listings.item_id is not null
),

offered as (
    select
        ranked.item_id,
        ranked.channel as first_channel,
        ranked.title,
        {{ business_date('ranked.valid_from') }} as as_of_date,
        ranked.price_amount,
        ranked.currency
    from ranked
    where ranked.place = 1
),

priced as (
    select
        offered.*,
        {{ gold_base('offered.price_amount', gold_fx_rate('offered.currency', 'fx')) }} as price_base,
        coalesce(items.category, 'unknown') as category,
        items.era,
        items.maker,
        items.material,
        items.condition,
        items.in_stock_date
    from offered
    inner join {{ ref('dim_item') }} as items on items.item_id = offered.item_id
    left join {{ ref('fx_daily') }} as fx on fx.currency = offered.currency and fx.rate_date = offered.as_of_date
),

sales as (
    select
        lines.item_id,
        coalesce(items.category, 'unknown') as category,
        lines.business_date,
        lines.quantity,
        lines.price_base
    from {{ ref('fct_order_lines') }} as lines
    left join {{ ref('dim_item') }} as items on items.item_id = lines.item_id
    where {{ is_true('lines.is_sale') }}
),

category_days as (
    select
        sales.category,
        sales.business_date,
        sum(sales.quantity) as units,
        {{ gold_sum('sales.price_base * sales.quantity') }} as sale_base
    from sales
    group by sales.category, sales.business_date
),

listing_days as (
    select distinct priced.category, priced.as_of_date
    from priced
),

category_before as (
    select
        listing_days.category,
        listing_days.as_of_date,
        sum(category_days.units) as units,
        {{ gold_sum('category_days.sale_base') }} as sale_base
    from listing_days
    inner join category_days
        on
            category_days.category = listing_days.category
            and category_days.business_date < listing_days.as_of_date
            and category_days.business_date >= {{ add_days('listing_days.as_of_date', -90) }}
    group by listing_days.category, listing_days.as_of_date
),

first_sales as (
    select sales.item_id, min(sales.business_date) as sold_date
    from sales
    inner join priced on priced.item_id = sales.item_id and sales.business_date >= priced.as_of_date
    group by sales.item_id
)

select
    priced.item_id,
    priced.as_of_date,
    priced.first_channel,
    cast(priced.category as {{ type_text(100) }}) as category,
    priced.era,
    priced.maker,
    priced.material,
    priced.condition,
    cast({{ text_length('priced.title') }} as int) as title_length,
    priced.price_base,
    cast({{ price_band('priced.price_base') }} as {{ type_text(20) }}) as price_band,
    cast(month(priced.as_of_date) as int) as listed_month,
    cast(case when priced.in_stock_date <= priced.as_of_date
        then {{ days_between('priced.in_stock_date', 'priced.as_of_date') }} end as int) as days_in_stock,
    cast(coalesce(before.units, 0) as int) as category_units_90d,
    cast({{ quotient('before.sale_base', 'before.units', 4) }} as {{ type_money() }}) as category_price_90d_base,
    first_sales.sold_date as label_sold_date,
    {{ flag('first_sales.sold_date is not null') }} as label_is_sold,
    cast({{ days_between('priced.as_of_date', 'coalesce(first_sales.sold_date, as_of.observed_date)') }} as int)
        as label_days_observed,
    {{ built_at() }} as built_at
from priced
cross join as_of
left join category_before as before on before.category = priced.category and before.as_of_date = priced.as_of_date
left join first_sales on first_sales.item_id = priced.item_id
