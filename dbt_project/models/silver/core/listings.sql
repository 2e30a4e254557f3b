{{ config(unique_key=['channel', 'product_id'], meta={'bound_by': 'created_at'}) }}
{#-
  The history of every listing: a row for each stretch of time in which title, state, price and whether there is any left did
  not change. All listings of a product are built anew from all its versions when a version arrives, so an older version that
  comes late finds its place. A product's first variant is the listing of the product's id; a further variant is a listing of
  its own.
-#}
{%- set fresh = 'built_at > ' ~ watermark() -%}

with touched as (
    select distinct 'shopify' as channel, product_id
    from {{ ref('stg_shopify__products') }}
    where {{ fresh }}
    {%- for model in channel_models('listing_versions') %}
    union
    select channel, product_id
    from {{ ref(model) }}
    where {{ fresh }}
    {%- endfor %}
),

all_versions as (
    select
        'shopify' as channel,
        product_id,
        variant_id,
        item_id,
        title,
        status,
        price,
        quantity,
        unit_cost_currency as currency,
        created_at,
        {{ null_time() }} as state_since,
        {{ seen_at() }} as version_at,
        ingested_at,
        record_id
    from {{ ref('stg_shopify__variants') }}
    {%- if is_incremental() %}
    where {{ not_before('created_at', earliest(ref('stg_shopify__products'), 'created_at', fresh, slack_days=7)) }}
    {%- endif %}
    {%- for model in channel_models('listing_versions') %}
    union all
    select
        channel, product_id, variant_id, item_id, title, status, price, quantity, currency, created_at, state_since,
        {{ seen_at() }} as version_at, ingested_at, record_id
    from {{ ref(model) }}
    {%- if is_incremental() %}
    where {{ not_before('created_at', earliest(ref(model), 'created_at', fresh, slack_days=7)) }}
    {%- endif %}
    {%- endfor %}
),

versions as (
    select
        variants.*,
        -- Of two versions with one time of change the last ingested counts.
        row_number() over (
            partition by variants.channel, variants.product_id, variants.variant_id, variants.version_at
            order by variants.ingested_at desc, variants.record_id desc
        ) as version_rank
    from all_versions as variants
    inner join touched on touched.channel = variants.channel and touched.product_id = variants.product_id
),

numbered as (
    select
        versions.*,
        min(variant_id) over (partition by channel, product_id) as first_variant_id,
        lag(title) over (partition by channel, product_id, variant_id order by version_at) as earlier_title,
        lag(status) over (partition by channel, product_id, variant_id order by version_at) as earlier_status,
        lag(price) over (partition by channel, product_id, variant_id order by version_at) as earlier_price,
        lag(case when quantity <= 0 then 1 else 0 end) over (
            partition by channel, product_id, variant_id order by version_at
        ) as earlier_sold_out,
        lag(version_at) over (partition by channel, product_id, variant_id order by version_at) as earlier_at
    from versions
    where version_rank = 1
),

stretches as (
    select
        numbered.*,
        -- A channel that says since when a listing is in its state knows better than when the version was made.
        case
            when coalesce(earlier_status, '') <> coalesce(status, '')
                and state_since > earlier_at
                and state_since < version_at then state_since
            else version_at
        end as since_at,
        sum(
            case
                when earlier_at is null
                    or coalesce(earlier_title, '') <> coalesce(title, '')
                    or coalesce(earlier_status, '') <> coalesce(status, '')
                    or coalesce(earlier_price, -1) <> coalesce(price, -1)
                    or earlier_sold_out <> case when quantity <= 0 then 1 else 0 end then 1
                else 0
            end
        ) over (partition by channel, product_id, variant_id order by version_at rows unbounded preceding) as stretch
    from numbered
),

ranked as (
    select
        stretches.*,
        min(since_at) over (partition by channel, product_id, variant_id, stretch) as valid_from,
        row_number() over (partition by channel, product_id, variant_id, stretch order by version_at desc) as newest_rank
    from stretches
),

-- The last version of a stretch speaks for it: what does not open a stretch (how many, which item) is as known at its end.
spells as (
    select
        ranked.*,
        lead(valid_from) over (partition by channel, product_id, variant_id order by valid_from) as valid_to
    from ranked
    where newest_rank = 1
)

select
    channel,
    case
        when variant_id = first_variant_id then product_id else concat(product_id, '-', variant_id)
    end as listing_id,
    product_id,
    item_id,
    title,
    status as state,
    price as price_amount,
    coalesce(currency, '{{ reporting_currency() }}') as currency,
    quantity,
    valid_from,
    valid_to,
    {{ flag('valid_to is null') }} as is_current,
    created_at,
    {{ built_at() }} as built_at
from spells
