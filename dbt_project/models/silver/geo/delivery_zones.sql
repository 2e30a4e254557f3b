{{ config(materialized='view') }}
{#-
  Which zone a destination is in, from when to when: the carriers' tables, each rule valid until the next of its kind
  begins, and behind them the distance rules of the project (var distance_zones), which hold at any time.
-#}

with rules as (
    select
        staged.rule_id,
        lower(coalesce(staged.carrier, '')) as carrier,
        coalesce(staged.ship_from_country, '') as ship_from_country,
        upper(coalesce(staged.ship_from_prefix, '')) as ship_from_prefix,
        countries.country,
        upper(replace(coalesce(staged.postcode_prefix, ''), ' ', '')) as postcode_prefix,
        staged.zone,
        coalesce(staged.valid_from, {{ date_literal('1970-01-01') }}) as valid_from,
        staged.stated_valid_to,
        staged.built_at
    from {{ ref('stg_geo__delivery_zones') }} as staged
    inner join {{ ref('countries') }} as countries on countries.spelling = upper(staged.country)
    where staged.zone is not null
),

followed as (
    select
        rules.*,
        lead(rules.valid_from) over (
            partition by rules.carrier, rules.ship_from_country, rules.ship_from_prefix, rules.country, rules.postcode_prefix
            order by rules.valid_from, rules.rule_id
        ) as next_valid_from
    from rules
)

select
    rule_id,
    carrier,
    ship_from_country,
    ship_from_prefix,
    country,
    postcode_prefix,
    cast(null as decimal(9, 1)) as min_km,
    cast(null as decimal(9, 1)) as max_km,
    zone,
    valid_from,
    case when next_valid_from <= stated_valid_to or stated_valid_to is null then next_valid_from
        else stated_valid_to end as valid_to,
    built_at
from followed
{%- for zone, nearest, furthest in distance_zones() %}
union all
select
    'distance:{{ zone }}' as rule_id,
    '' as carrier,
    '' as ship_from_country,
    '' as ship_from_prefix,
    '' as country,
    '' as postcode_prefix,
    cast({{ nearest }} as decimal(9, 1)) as min_km,
    cast({{ furthest }} as decimal(9, 1)) as max_km,
    '{{ zone }}' as zone,
    {{ date_literal('1970-01-01') }} as valid_from,
    {{ null_date() }} as valid_to,
    {{ time_literal('1970-01-01 00:00:00.000000') }} as built_at
{%- endfor %}
