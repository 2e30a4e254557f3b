{{ config(unique_key=['stated_country', 'postcode_area']) }}
{#-
  Every country and postcode area that orders are sent to, in ISO codes, with the distance from where parcels leave
  (RETREASURE_SHIP_FROM). Made once an order goes there, and anew when the area's own centre changed.
-#}
{%- set origin = ship_from() -%}

with named as (
    select distinct ship_country as stated_country, ship_postcode_area as postcode_area
    from {{ ref('orders') }} as orders
    where built_at > {{ watermark() }} and ship_country is not null
    {%- if is_incremental() %}
        and not exists (
            select 1
            from {{ this }} as known
            where known.stated_country = orders.ship_country
                and known.postcode_area = coalesce(orders.ship_postcode_area, '')
        )
    union
    select known.stated_country, known.postcode_area
    from {{ this }} as known
    inner join {{ ref('postcode_areas') }} as areas
        on areas.country = known.country and areas.postcode_area = known.postcode_area
    where areas.built_at > {{ watermark() }}
    union
    select known.stated_country, known.postcode_area
    from {{ this }} as known
    where exists (
        select 1
        from {{ ref('postcode_areas') }} as areas
        where areas.built_at > {{ watermark() }}
            and areas.country = '{{ origin[0] }}' and areas.postcode_area = '{{ origin[1] }}'
    )
    {%- endif %}
),

keyed as (
    select stated_country, coalesce(postcode_area, '') as postcode_area
    from named
)

select
    keyed.stated_country,
    keyed.postcode_area,
    countries.country,
    areas.region,
    areas.latitude,
    areas.longitude,
    areas.spread_km,
    {{ distance_km('origins.latitude', 'origins.longitude', 'areas.latitude', 'areas.longitude') }} as distance_km,
    {{ built_at() }} as built_at
from keyed
left join {{ ref('countries') }} as countries on countries.spelling = upper(keyed.stated_country)
left join {{ ref('postcode_areas') }} as areas
    on areas.country = countries.country and areas.postcode_area = keyed.postcode_area
left join {{ ref('postcode_areas') }} as origins
    on origins.country = '{{ origin[0] }}' and origins.postcode_area = '{{ origin[1] }}'
