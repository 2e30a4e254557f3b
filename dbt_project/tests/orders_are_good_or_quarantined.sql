{#-
  Good + quarantined = input: every order that staging knows is in silver.orders or in quarantine.silver_orders. An export's
  row of an order that the API knows counts as that order.
-#}
{{ config(meta={'dagster': {'ref': {'name': 'orders'}}}) }}

with staged as (
    select 'shopify' as channel, order_id
    from {{ ref('stg_shopify__orders') }}
    where {{ built_last(ref('stg_shopify__orders')) }}
    union
    select 'etsy' as channel, order_id
    from {{ ref('stg_etsy__receipts') }}
    where {{ built_last(ref('stg_etsy__receipts')) }}
    union
    select 'pos' as channel, coalesce(transaction_id, '') as order_id
    from {{ ref('stg_pos__transactions') }}
    where coalesce(line_type, '') <> 'return' and {{ built_last(ref('stg_pos__transactions')) }}
    union
    select 'ebay' as channel, order_id
    from {{ ref('stg_ebay__orders') }}
    where {{ built_last(ref('stg_ebay__orders')) }}
    union
    select 'pos' as channel, order_id
    from {{ ref('stg_square__order_lines') }}
    where coalesce(state, '') <> 'draft' and {{ built_last(ref('stg_square__order_lines')) }}
    union
    select channel, order_id
    from {{ ref('int_export_rows') }}
    where {{ built_last(ref('int_export_rows')) }}
)

select staged.channel, staged.order_id
from staged
where
    not exists (
        select 1
        from {{ ref('orders') }} as good
        where good.channel = staged.channel and good.order_id = staged.order_id
    )
    and not exists (
        select 1
        from {{ ref('silver_orders') }} as kept_out
        where kept_out.channel = staged.channel and kept_out.order_id = staged.order_id
    )
