{{ config(unique_key='inventory_key') }}
{#-
  Square's counts, a row for each variation and location: what is in stock can be sold, what is reserved is sold and still
  there. Looked at anew when a count or the stock number of the variation is new. Grows with the catalogue.
-#}

with touched as (
    select variation_id, location_id
    from {{ ref('stg_square__inventory_counts') }}
    where built_at > {{ watermark() }}
    union
    select counts.variation_id, counts.location_id
    from {{ ref('stg_square__inventory_counts') }} as counts
    inner join {{ ref('int_square_skus') }} as skus on skus.variation_id = counts.variation_id
    where skus.built_at > {{ watermark() }}
)

select
    'pos' as channel,
    concat(counts.variation_id, '|', counts.location_id) as inventory_key,
    counts.location_id,
    max(skus.item_id) as item_id,
    {{ as_count("sum(case when counts.state = 'in_stock' then counts.quantity else 0 end)") }} as available,
    {{ as_count("sum(case when counts.state in ('in_stock', 'reserved_for_sale') then counts.quantity else 0 end)") }}
        as on_hand,
    {{ as_count("sum(case when counts.state = 'reserved_for_sale' then counts.quantity else 0 end)") }} as committed,
    {{ null_time() }} as created_at,
    max(counts.calculated_at) as updated_at,
    {{ built_at() }} as built_at
from {{ ref('stg_square__inventory_counts') }} as counts
inner join touched on touched.variation_id = counts.variation_id and touched.location_id = counts.location_id
left join {{ ref('int_square_skus') }} as skus on skus.variation_id = counts.variation_id
group by counts.variation_id, counts.location_id
