{{ config(unique_key=['source_table', 'item_id'], meta={'version_by': ['version_at', 'ingested_at', 'record_id']}) }}
{#-
  The newest word of each catalogue on an item: Shopify's products (a variant's SKU is the item), the till's and Square's.
  Grows with the number of items, not of their versions.
-#}
{%- set fields = [
    ['category', 'text'], ['era', 'text'], ['maker', 'text'], ['material', 'text'], ['condition', 'text'],
    ['acquired_at', 'text'], ['acquisition_cost', 'text'], ['acquisition_currency', 'text'],
] -%}

with variants as (
    select
        variants.*,
        row_number() over (
            partition by variants.item_id
            order by variants.version_at desc, variants.ingested_at desc, variants.record_id desc, variants.variant_id
        ) as version_rank
    from {{ ref('stg_shopify__variants') }} as variants
    where variants.built_at > {{ watermark() }}
        and variants.item_id is not null
        and variants.item_id <> ''
),

newest_variants as (
    select item_id, product_id, title, created_at, metafields, unit_cost, unit_cost_currency,
        version_at, ingested_at, record_id
    from variants
    where version_rank = 1
),

metafields as (
    {{ explode('newest_variants', 'metafields', ['item_id as of_item_id'], shopify_metafield_fields()) | indent(4) }}
),

attributes as (
    select
        of_item_id,
        {%- for field in fields %}
        max(case when field_key = '{{ field[0] }}' then field_value end) as {{ field[0] }} {{- ',' if not loop.last }}
        {%- endfor %}
    from metafields
    group by of_item_id
),

till as (
    select
        products.*,
        row_number() over (
            partition by products.item_id
            order by products.version_at desc, products.ingested_at desc, products.record_id desc
        ) as version_rank
    from {{ ref('stg_pos__products') }} as products
    where products.built_at > {{ watermark() }}
        and products.item_id is not null
),

variations as (
    select
        variations.*,
        -- Square does not state when it created an object: its first version that was seen stands in for that.
        min(variations.version_at) over (partition by variations.item_id) as first_version_at,
        row_number() over (
            partition by variations.item_id
            order by variations.version_at desc, variations.ingested_at desc, variations.record_id desc,
                variations.variation_id
        ) as version_rank
    from {{ ref('stg_square__variations') }} as variations
    where variations.item_id is not null
        and (
            variations.built_at > {{ watermark() }}
            or exists (
                select 1
                from {{ ref('stg_square__catalog_objects') }} as categories
                where categories.object_id = variations.category_id
                    and categories.object_type = 'category'
                    and categories.built_at > {{ watermark() }}
            )
        )
),

categories as (
    select
        objects.object_id,
        objects.category_name,
        row_number() over (
            partition by objects.object_id
            order by objects.version_at desc, objects.ingested_at desc, objects.record_id desc
        ) as version_rank
    from {{ ref('stg_square__catalog_objects') }} as objects
    where objects.object_type = 'category'
),

known as (
    select
        'shopify_products' as source_table,
        {{ catalogues().index('shopify_products') }} as source_order,
        variants.item_id,
        variants.title,
        attributes.category,
        attributes.era,
        attributes.maker,
        attributes.material,
        attributes.condition,
        {{ to_date('attributes.acquired_at') }} as acquired_date,
        coalesce({{ to_money('attributes.acquisition_cost') }}, variants.unit_cost) as cost_amount,
        case
            when {{ to_money('attributes.acquisition_cost') }} is not null
                then coalesce(attributes.acquisition_currency, variants.unit_cost_currency)
            else variants.unit_cost_currency
        end as cost_currency,
        variants.created_at as first_seen_at,
        variants.version_at,
        variants.ingested_at,
        variants.record_id
    from newest_variants as variants
    left join attributes on attributes.of_item_id = variants.item_id
    union all
    select
        'pos_products' as source_table,
        {{ catalogues().index('pos_products') }} as source_order,
        item_id,
        title,
        category,
        era,
        maker,
        material,
        condition,
        {{ null_date() }} as acquired_date,
        acquisition_cost as cost_amount,
        currency as cost_currency,
        coalesce(listed_at, ingested_at) as first_seen_at,
        version_at,
        ingested_at,
        record_id
    from till
    where version_rank = 1
    union all
    select
        'square_catalog_objects' as source_table,
        {{ catalogues().index('square_catalog_objects') }} as source_order,
        variations.item_id,
        variations.title,
        categories.category_name as category,
        variations.era,
        variations.maker,
        variations.material,
        variations.condition,
        variations.acquired_at as acquired_date,
        variations.acquisition_cost as cost_amount,
        variations.currency as cost_currency,
        {% if is_incremental() -%}
        case when earlier.first_seen_at < variations.first_version_at then earlier.first_seen_at
            else variations.first_version_at end as first_seen_at,
        {%- else -%}
        variations.first_version_at as first_seen_at,
        {%- endif %}
        variations.version_at,
        variations.ingested_at,
        variations.record_id
    from variations
    left join categories on categories.object_id = variations.category_id and categories.version_rank = 1
    {%- if is_incremental() %}
    left join {{ this }} as earlier
        on earlier.item_id = variations.item_id and earlier.source_table = 'square_catalog_objects'
    {%- endif %}
    where variations.version_rank = 1
    {%- if is_incremental() %}
    union all
    -- An older version that comes late is dropped as outdated; that the piece was there by then stays.
    select
        earlier.source_table,
        earlier.source_order,
        earlier.item_id,
        earlier.title,
        earlier.category,
        earlier.era,
        earlier.maker,
        earlier.material,
        earlier.condition,
        earlier.acquired_date,
        earlier.cost_amount,
        earlier.cost_currency,
        variations.first_version_at as first_seen_at,
        earlier.version_at,
        earlier.ingested_at,
        earlier.record_id
    from variations
    inner join {{ this }} as earlier
        on earlier.item_id = variations.item_id and earlier.source_table = 'square_catalog_objects'
    where variations.version_rank = 1
        and variations.first_version_at < earlier.first_seen_at
        and {{ is_higher('earlier', 'variations', ['version_at', 'ingested_at', 'record_id']) }}
    {%- endif %}
)

select
    known.*,
    {{ built_at() }} as built_at
from known
