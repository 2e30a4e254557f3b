{{ config(unique_key='item_id') }}
{#-
  Physical pieces, whatever channel they are on. Where several catalogues know a piece, the first one's word counts and the
  others fill the gaps: see catalogues().
-#}

with touched as (
    select distinct item_id
    from {{ ref('int_catalogue') }}
    where built_at > {{ watermark() }}
),

spans as (
    select catalogue.item_id, min(catalogue.first_seen_at) as first_seen_at, max(catalogue.version_at) as updated_at
    from {{ ref('int_catalogue') }} as catalogue
    inner join touched on touched.item_id = catalogue.item_id
    group by catalogue.item_id
),

known as (
    select
        spans.item_id,
        {%- for column in ['title', 'category', 'era', 'maker', 'material', 'condition', 'acquired_date'] %}
        coalesce(
            {%- for catalogue in catalogues() %}{{ catalogue }}.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
        ) as {{ column }},
        {%- endfor %}
        spans.first_seen_at,
        spans.updated_at
    from spans
    {%- for catalogue in catalogues() %}
    left join {{ ref('int_catalogue') }} as {{ catalogue }}
        on {{ catalogue }}.item_id = spans.item_id and {{ catalogue }}.source_table = '{{ catalogue }}'
    {%- endfor %}
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
    first_seen_at,
    nullif(updated_at, {{ time_literal('1970-01-01 00:00:00.000000') }}) as updated_at,
    {{ built_at() }} as built_at
from known
