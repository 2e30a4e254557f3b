{{ config(materialized='table') }}

select
    cast('shopify' as {{ type_text(20) }}) as channel,
    cast('Shopify' as {{ type_text(50) }}) as channel_name,
    cast('own web shop' as {{ type_text(30) }}) as channel_kind,
    {{ built_at() }} as built_at
union all
select
    cast('etsy' as {{ type_text(20) }}) as channel,
    cast('Etsy' as {{ type_text(50) }}) as channel_name,
    cast('marketplace' as {{ type_text(30) }}) as channel_kind,
    {{ built_at() }} as built_at
union all
select
    cast('ebay' as {{ type_text(20) }}) as channel,
    cast('eBay' as {{ type_text(50) }}) as channel_name,
    cast('marketplace' as {{ type_text(30) }}) as channel_kind,
    {{ built_at() }} as built_at
union all
select
    cast('pos' as {{ type_text(20) }}) as channel,
    cast('Shop till' as {{ type_text(50) }}) as channel_name,
    cast('shop' as {{ type_text(30) }}) as channel_kind,
    {{ built_at() }} as built_at
