{{ config(
    unique_key=['channel', 'subject_id', 'position'],
    meta={'version_by': ['ingested_at', 'record_id'], 'keep_where': "status <> 'removed'"}
) }}
{#- What stands at each place among a listing's photos; a place that became empty clears its row. -#}

with ranked as (
    select
        photos.*,
        row_number() over (
            partition by photos.channel, photos.subject_id, photos.position
            order by photos.ingested_at desc, photos.record_id desc
        ) as newest_rank
    from {{ ref('stg_media__photos') }} as photos
    where photos.built_at > {{ watermark() }}
)

select
    channel,
    subject_id,
    position,
    status,
    url,
    content_hash,
    record_id,
    ingested_at,
    {{ built_at() }} as built_at
from ranked
where newest_rank = 1 {%- if not is_incremental() %} and status <> 'removed' {%- endif %}
