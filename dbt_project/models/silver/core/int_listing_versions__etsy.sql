{{ config(materialized='view') }}
{#-
  Versions of Etsy's listings as seen. A listing whose variations have stock numbers of their own is a listing for each of
  these numbers, with its own price and quantity: Etsy gives a variation another id when it is edited, its number stays.
-#}

with variations as (
    {{ explode(
        ref('stg_etsy__listings'), 'products',
        ['record_id', 'created_at', 'built_at'],
        etsy_product_fields()
    ) | indent(4) }}
),

priced as (
    select
        variations.*,
        cast({{ quotient(
            to_money(first_of('offerings', 'price.amount')), to_money(first_of('offerings', 'price.divisor'))
        ) }} as {{ type_money() }}) as price,
        {{ sum_of('offerings', 'quantity') }} as pieces
    from variations
    where not ({{ is_true('coalesce(is_deleted, ' ~ flag_literal(false) ~ ')') }})
),

-- Grouped by the columns too that readers bound this view by, so that the bound reaches the scan.
articles as (
    select
        record_id,
        created_at,
        built_at,
        coalesce(item_id, '') as item_id,
        min(price) as price,
        {{ as_count('sum(pieces)') }} as quantity
    from priced
    group by record_id, created_at, built_at, coalesce(item_id, '')
),

sold as (
    select
        articles.*,
        count(*) over (partition by record_id, created_at, built_at) as article_count
    from articles
)

select
    'etsy' as channel,
    listings.listing_id as product_id,
    case when sold.article_count > 1 and sold.item_id <> '' then sold.item_id else listings.listing_id end as variant_id,
    nullif(sold.item_id, '') as item_id,
    listings.title,
    listings.status,
    case when sold.article_count > 1 then coalesce(sold.price, listings.price) else listings.price end as price,
    case when sold.article_count > 1 then sold.quantity else listings.quantity end as quantity,
    listings.currency,
    listings.created_at,
    listings.state_since,
    listings.version_at,
    listings.ingested_at,
    listings.record_id,
    listings.built_at
from {{ ref('stg_etsy__listings') }} as listings
left join sold
    on sold.record_id = listings.record_id
    and sold.created_at = listings.created_at
    and sold.built_at = listings.built_at
