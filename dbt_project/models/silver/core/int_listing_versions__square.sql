{{ config(materialized='view') }}
{#-
  What the shop asks for a piece, version by version: every variation is a listing of its own. Square does not state when an
  object was created.
-#}

select
    'pos' as channel,
    variation_id as product_id,
    variation_id as variant_id,
    item_id,
    title,
    state as status,
    price,
    cast(null as integer) as quantity,
    currency,
    {{ null_time() }} as created_at,
    {{ null_time() }} as state_since,
    version_at,
    ingested_at,
    record_id,
    built_at
from {{ ref('stg_square__variations') }}
