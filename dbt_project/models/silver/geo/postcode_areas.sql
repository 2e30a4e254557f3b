{{ config(unique_key=['country', 'postcode_area']) }}
{#-
  Areas of postcodes with the middle of their places, and how far these spread. The area is all that is kept of people's
  postcodes, so no distance is finer than this.
-#}

with touched as (
    select distinct country_stated, postcode_area
    from {{ ref('stg_geo__postcodes') }}
    where built_at > {{ watermark() }} and postcode_area is not null
),

places as (
    select
        countries.country,
        places.postcode_area,
        regions.region,
        try_cast(places.latitude_text as decimal(12, 6)) as latitude,
        try_cast(places.longitude_text as decimal(12, 6)) as longitude
    from {{ ref('stg_geo__postcodes') }} as places
    inner join touched
        on touched.country_stated = places.country_stated and touched.postcode_area = places.postcode_area
    inner join {{ ref('countries') }} as countries on countries.spelling = upper(places.country_stated)
    left join {{ ref('regions') }} as regions
        on regions.country = countries.country and regions.spelling = upper(places.region_stated)
),

middles as (
    select
        country,
        postcode_area,
        cast(round(avg(cast(latitude as {{ type_float() }})), 6) as decimal(9, 6)) as latitude,
        cast(round(avg(cast(longitude as {{ type_float() }})), 6) as decimal(9, 6)) as longitude,
        case when min(region) = max(region) and count(*) = count(region) then min(region) end as region,
        count(*) as place_count
    from places
    where latitude between -90 and 90 and longitude between -180 and 180
    group by country, postcode_area
)

select
    middles.country,
    middles.postcode_area,
    middles.region,
    middles.latitude,
    middles.longitude,
    max({{ distance_km('middles.latitude', 'middles.longitude', 'places.latitude', 'places.longitude') }}) as spread_km,
    middles.place_count,
    {{ built_at() }} as built_at
from middles
inner join places
    on places.country = middles.country and places.postcode_area = middles.postcode_area
where places.latitude between -90 and 90 and places.longitude between -180 and 180
group by
    middles.country, middles.postcode_area, middles.region, middles.latitude, middles.longitude, middles.place_count
