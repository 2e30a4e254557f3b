{{ config(materialized='table') }}

{# Offers as they stand: of a listing's history only the current row, of a category only the prices of today. #}
with offers as (
    select
        listings.channel,
        listings.listing_id,
        coalesce(listings.item_id, concat(listings.channel, '|', listings.listing_id)) as piece,
        listings.item_id,
        listings.title,
        listings.currency,
        listings.price_amount,
        {{ gold_base('listings.price_amount', gold_fx_rate('listings.currency', 'fx')) }} as price_base,
        items.category,
        items.era,
        items.maker,
        items.material,
        items.condition
    from {{ ref('dim_listing') }} as listings
    left join {{ ref('dim_item') }} as items on items.item_id = listings.item_id
    left join (
        select rates.currency, max(rates.rate_date) as rate_date
        from {{ ref('fx_daily') }} as rates
        where rates.fx_rate is not null
        group by rates.currency
    ) as newest on newest.currency = listings.currency
    left join {{ ref('fx_daily') }} as fx on fx.currency = newest.currency and fx.rate_date = newest.rate_date
    where {{ is_true('listings.is_current') }} and listings.state = 'active'
),

ranked as (
    select
        offers.category,
        offers.price_base,
        row_number() over (
            partition by offers.category order by offers.price_base, offers.channel, offers.listing_id
        ) as place,
        count(*) over (partition by offers.category) as places
    from offers
    where offers.category is not null and offers.price_base > 0
),

quartiles as (
    select
        ranked.category,
        {{ percentile('ranked.price_base', 25) }} as first_quartile,
        {{ percentile('ranked.price_base', 75) }} as third_quartile
    from ranked
    where ranked.places >= 12
    group by ranked.category
),

-- On Etsy and Shopify photos hang on the listing or product, whose further variants have ids of their own; on eBay on the SKU.
shown as (
    select distinct
        offers.channel,
        offers.listing_id,
        offers.piece,
        photos.position,
        photos.status,
        photos.content_hash
    from offers
    inner join {{ ref('listing_photos') }} as photos
        on photos.channel = offers.channel
        and photos.subject_id = case when offers.channel = 'ebay' then offers.item_id else offers.listing_id end
),

-- The same photo in offers of different pieces: buyers take one for the other.
shared as (
    select shown.content_hash, min(shown.piece) as first_piece, max(shown.piece) as last_piece
    from shown
    where shown.content_hash is not null
    group by shown.content_hash
    having min(shown.piece) <> max(shown.piece)
),

galleries as (
    select
        shown.channel,
        shown.listing_id,
        count(shown.content_hash) as photos,
        sum(case when shown.status <> 'fetched' then 1 else 0 end) as broken_photos,
        count(shared.content_hash) as duplicate_photos,
        min(case when shared.first_piece = shown.piece then shared.last_piece else shared.first_piece end)
            as duplicate_of
    from shown
    left join shared on shared.content_hash = shown.content_hash
    group by shown.channel, shown.listing_id
),

judged as (
    select
        offers.*,
        quartiles.first_quartile,
        quartiles.third_quartile,
        {%- for name in ['category', 'era', 'maker', 'material', 'condition'] %}
        case when coalesce(trim(offers.{{ name }}), '') = '' then 1 else 0 end as misses_{{ name }},
        {%- endfor %}
        case when coalesce({{ text_length('trim(offers.title)') }}, 0) < {{ var('shortest_title') }} then 1 else 0 end
            as short_title,
        case when coalesce(offers.price_amount, 0) <= 0 then 1 else 0 end as without_price,
        case
            when offers.price_base > quartiles.third_quartile + 3 * (quartiles.third_quartile - quartiles.first_quartile)
                or (offers.price_base > 0 and offers.price_base * 10 < quartiles.first_quartile)
                then 1
            else 0
        end as outlying_price,
        galleries.photos,
        galleries.duplicate_of,
        coalesce(galleries.duplicate_photos, 0) as duplicate_photos,
        case when coalesce(galleries.duplicate_photos, 0) > 0 then 1 else 0 end as shares_photos,
        case when coalesce(galleries.broken_photos, 0) > 0 then 1 else 0 end as broken_photos
    from offers
    left join quartiles on quartiles.category = offers.category
    left join galleries on galleries.channel = offers.channel and galleries.listing_id = offers.listing_id
)

select
    judged.channel,
    judged.listing_id,
    judged.item_id,
    judged.title,
    judged.category,
    judged.price_base,
    {{ flag('judged.short_title = 1') }} as has_short_title,
    {%- for name in ['category', 'era', 'maker', 'material', 'condition'] %}
    {{ flag('judged.misses_' ~ name ~ ' = 1') }} as misses_{{ name }},
    {%- endfor %}
    {{ flag('judged.without_price = 1') }} as misses_price,
    {{ flag('judged.outlying_price = 1') }} as has_outlying_price,
    {{ flag('judged.broken_photos = 1') }} as has_broken_photos,
    cast(judged.photos as int) as photos,
    cast(judged.duplicate_photos as int) as duplicate_photos,
    judged.duplicate_of,
    cast(
        judged.short_title + judged.misses_category + judged.misses_era + judged.misses_maker + judged.misses_material
        + judged.misses_condition + judged.without_price + judged.outlying_price
        + judged.shares_photos + judged.broken_photos as int
    ) as flaws,
    {{ first_reasons([
        ['judged.short_title = 1', 'short title'],
        ['judged.misses_category = 1', 'no category'],
        ['judged.misses_era = 1', 'no era'],
        ['judged.misses_maker = 1', 'no maker'],
        ['judged.misses_material = 1', 'no material'],
        ['judged.misses_condition = 1', 'no condition'],
        ['judged.without_price = 1', 'no price'],
        ['judged.outlying_price = 1', 'outlying price'],
        ['judged.shares_photos = 1', 'photo of another piece'],
        ['judged.broken_photos = 1', 'photo that does not show'],
    ]) }} as reasons,
    {{ built_at() }} as built_at
from judged
