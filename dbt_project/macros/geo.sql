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

{# Distance rules of delivery zones: [zone, from km, below km], used where no carrier's table has the destination. #}
{% macro distance_zones() -%} {{- return(var('distance_zones')) -}} {%- endmacro %}
