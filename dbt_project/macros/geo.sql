{# Places: distances between centroids, and countries and regions by their ISO codes. #}

{% macro type_float() -%} {{ return(adapter.dispatch('type_float')()) }} {%- endmacro %}
{% macro duckdb__type_float() -%} double {%- endmacro %}
{% macro fabric__type_float() -%} float(53) {%- endmacro %}

{#
  Great-circle distance of two points in degrees, in kilometres with one decimal (haversine formula, mean earth radius
  6371.0088 km, IUGG); null where a coordinate is.
#}
{% macro distance_km(latitude, longitude, other_latitude, other_longitude) -%}
  {%- set f = type_float() -%}
  cast(round(2 * 6371.0088 * asin(sqrt(
    power(sin(radians(cast({{ other_latitude }} as {{ f }}) - cast({{ latitude }} as {{ f }})) / 2), 2)
    + cos(radians(cast({{ latitude }} as {{ f }}))) * cos(radians(cast({{ other_latitude }} as {{ f }})))
    * power(sin(radians(cast({{ other_longitude }} as {{ f }}) - cast({{ longitude }} as {{ f }})) / 2), 2)
  )), 1) as decimal(9, 1))
{%- endmacro %}

{#
  A select of the delivery zone of each row of `relation`: its keys and the zone; no row where no rule holds.

  The carrier's own rule comes before everybody's, the longest prefix before a shorter one, a table before the distance.

  Args:
    relation: has ship_country, ship_postcode_area and distance_km, besides what the other arguments name.
    keys: its key columns.
    day: column of the date whose rules hold.
    carrier: column of the carrier; without one only the rules that hold for every carrier count.
#}
{% macro zones_of(relation, keys, day, carrier=none) -%}
select
    {%- for key in keys %}
    ranked.{{ key }},
    {%- endfor %}
    ranked.zone
from (
    select
        {%- for key in keys %}
        sent.{{ key }},
        {%- endfor %}
        zones.zone,
        row_number() over (
            partition by {% for key in keys %}sent.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
            order by
                case when zones.carrier = '' then 0 else 1 end desc,
                case when zones.country = '' then 0 else 1 end desc,
                {{ text_length('zones.postcode_prefix') }} desc,
                {{ text_length('zones.ship_from_prefix') }} desc,
                case when zones.ship_from_country = '' then 0 else 1 end desc,
                zones.valid_from desc,
                zones.rule_id
        ) as place
    from {{ relation }} as sent
    inner join {{ ref('delivery_zones') }} as zones
        on {% if carrier %}zones.carrier in ('', lower(sent.{{ carrier }})){% else %}zones.carrier = ''{% endif %}
        and zones.country in ('', sent.ship_country)
        and (zones.postcode_prefix = '' or sent.ship_postcode_area like concat(zones.postcode_prefix, '%'))
        and zones.ship_from_country in ('', '{{ ship_from()[0] }}')
        and '{{ ship_from()[1] }}' like concat(zones.ship_from_prefix, '%')
        and zones.valid_from <= sent.{{ day }}
        and (zones.valid_to is null or zones.valid_to > sent.{{ day }})
        and (zones.min_km is null or (sent.distance_km >= zones.min_km and sent.distance_km < zones.max_km))
    {%- if carrier %}
    where sent.{{ carrier }} is not null
    {%- endif %}
) as ranked
where ranked.place = 1
{%- endmacro %}

{# Distance rules of delivery zones: [zone, from km, below km], used where no carrier's table has the destination. #}
{% macro distance_zones() -%} {{- return(var('distance_zones')) -}} {%- endmacro %}
