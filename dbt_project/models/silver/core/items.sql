{{ config(unique_key='item_id') }}
{#-
  Physical pieces, whatever channel they are on. Where two catalogues know a piece, Shopify's word comes first and the till's
  fills the gaps.
-#}

with touched as (
    select distinct item_id
    from {{ ref('int_catalogue') }}
    where built_at > {{ watermark() }}
),

known as (
    select
        touched.item_id,
        {%- for column in ['title', 'category', 'era', 'maker', 'material', 'condition', 'acquired_date'] %}
        coalesce(shop.{{ column }}, till.{{ column }}) as {{ column }},
        {%- endfor %}
        shop.first_seen_at as shop_seen_at,
        till.first_seen_at as till_seen_at,
        case when shop.version_at >= till.version_at or till.version_at is null then shop.version_at
            else till.version_at end as updated_at
    from touched
    left join {{ ref('int_catalogue') }} as shop
        on shop.item_id = touched.item_id and shop.source_table = 'shopify_products'
    left join {{ ref('int_catalogue') }} as till
        on till.item_id = touched.item_id and till.source_table = 'pos_products'
)

select
    item_id,
    title,
    category,
    era,
    maker,
    material,
    condition,
    acquired_date,
    case when shop_seen_at <= till_seen_at or till_seen_at is null then shop_seen_at else till_seen_at end
        as first_seen_at,
    nullif(updated_at, {{ time_literal('1970-01-01 00:00:00.000000') }}) as updated_at,
    {{ built_at() }} as built_at
from known
