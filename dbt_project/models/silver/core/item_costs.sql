{{ config(unique_key='item_id') }}
{#-
  What a piece cost us, a row a cost. The catalogues know the purchase price alone: kind is purchase, seq 1. Freight,
  restoration and consignment shares come from ledgers of their own.
-#}

with touched as (
    select distinct item_id
    from {{ ref('int_catalogue') }}
    where built_at > {{ watermark() }}
),

costs as (
    select
        catalogue.item_id,
        catalogue.cost_amount,
        catalogue.cost_currency,
        coalesce(catalogue.acquired_date, {{ business_date('catalogue.first_seen_at') }}) as cost_date,
        row_number() over (partition by catalogue.item_id order by catalogue.source_order) as preference
    from {{ ref('int_catalogue') }} as catalogue
    inner join touched on touched.item_id = catalogue.item_id
    where catalogue.cost_amount is not null
        and {{ item_cost_rejections('catalogue') }} is null
)

select
    item_id,
    1 as seq,
    'purchase' as kind,
    cost_date,
    coalesce(cost_currency, '{{ reporting_currency() }}') as currency,
    cost_amount,
    {{ built_at() }} as built_at
from costs
where preference = 1
