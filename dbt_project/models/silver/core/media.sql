{{ config(unique_key='content_hash') }}
{#- Photos by what is in them: the same bytes are one row, on however many listings they stand. -#}

select
    content_hash,
    min(bytes) as bytes,
    min(content_type) as content_type,
    min(width) as width,
    min(height) as height,
    {{ built_at() }} as built_at
from {{ ref('stg_media__photos') }}
where status = 'fetched' and built_at > {{ watermark() }}
group by content_hash
