{{ config(unique_key='variation_id', meta={'version_by': ['version_at', 'ingested_at', 'record_id']}) }}
{#-
  What Square's orders and counts call a variation -> the stock number of the piece. Its newest word; a variation whose
  stock number did not change is not written again. Grows with the catalogue.
-#}

with ranked as (
    select
        variations.*,
        row_number() over (
            partition by variations.variation_id
            order by variations.version_at desc, variations.ingested_at desc, variations.record_id desc
        ) as version_rank
    from {{ ref('stg_square__variations') }} as variations
    where variations.built_at > {{ watermark() }} and variations.variation_id is not null
)

select
    ranked.variation_id,
    ranked.object_id,
    ranked.item_id,
    ranked.version_at,
    ranked.ingested_at,
    ranked.record_id,
    {{ built_at() }} as built_at
from ranked
where ranked.version_rank = 1
{%- if is_incremental() %}
    and not exists (
        select 1
        from {{ this }} as known
        where known.variation_id = ranked.variation_id and coalesce(known.item_id, '') = coalesce(ranked.item_id, '')
    )
{%- endif %}
