{{ config(materialized='view') }}
{#- Regions by code and by name, and their ISO 3166-2 codes. -#}
{%- set spellings = [] -%}
{%- for country, code, name, written in regions() -%}
    {%- for spelling in written -%} {%- do spellings.append([country, spelling, country ~ '-' ~ code, name]) -%} {%- endfor -%}
{%- endfor %}

select
    cast(listed.country as {{ type_text(2) }}) as country,
    cast(listed.spelling as {{ type_text(80) }}) as spelling,
    cast(listed.region as {{ type_text(6) }}) as region,
    cast(listed.region_name as {{ type_text(80) }}) as region_name
from (
    {{ literal_rows(['country', 'spelling', 'region', 'region_name'], spellings) | indent(4) }}
) as listed
