{{ config(materialized='table') }}

{# Offers as they stand: of a listing's history only the current row, of a category only the prices of today. #}
with offers as (
    select
        listings.channel,
        listings.listing_id,
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
        end as outlying_price
    from offers
    left join quartiles on quartiles.category = offers.category
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
    cast(
        judged.short_title + judged.misses_category + judged.misses_era + judged.misses_maker + judged.misses_material
        + judged.misses_condition + judged.without_price + judged.outlying_price as int
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
    ]) }} as reasons,
    {{ built_at() }} as built_at
from judged
