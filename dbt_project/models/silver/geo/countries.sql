{{ config(materialized='view') }}
{#- Every way in which sources write a country, and its ISO 3166-1 code. -#}
{%- set spellings = [] -%}
{%- for country, three_letters, name, written in countries() -%}
    {%- for spelling in [country, three_letters] + written -%} {%- do spellings.append([spelling, country, name]) -%} {%- endfor -%}
{%- endfor %}

select
    cast(listed.spelling as {{ type_text(80) }}) as spelling,
    cast(listed.country as {{ type_text(2) }}) as country,
    cast(listed.country_name as {{ type_text(80) }}) as country_name
from (
    {{ literal_rows(['spelling', 'country', 'country_name'], spellings) | indent(4) }}
) as listed
