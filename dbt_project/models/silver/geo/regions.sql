{{ config(materialized='view') }}
{#- Regions by code and by name, and their ISO 3166-2 codes. -#}

{% for row in regions() -%}
{%- for spelling in [row[1], row[2] | upper] | unique %}
select
    cast('{{ row[0] }}' as {{ type_text(2) }}) as country,
    cast('{{ spelling }}' as {{ type_text(80) }}) as spelling,
    cast('{{ row[0] }}-{{ row[1] }}' as {{ type_text(6) }}) as region,
    cast('{{ row[2] }}' as {{ type_text(80) }}) as region_name
{%- if not loop.last %}
union all
{%- endif -%}
{%- endfor -%}
{%- if not loop.last %}
union all
{%- endif -%}
{% endfor %}
