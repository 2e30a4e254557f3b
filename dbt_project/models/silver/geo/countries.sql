{{ config(materialized='view') }}
{#- Every way in which sources write a country, and its ISO 3166-1 code. -#}

{% for row in countries() -%}
{%- for spelling in [row[0], row[1]] + row[3] %}
select
    cast('{{ spelling }}' as {{ type_text(80) }}) as spelling,
    cast('{{ row[0] }}' as {{ type_text(2) }}) as country,
    cast('{{ row[2] }}' as {{ type_text(80) }}) as country_name
{%- if not loop.last %}
union all
{%- endif -%}
{%- endfor -%}
{%- if not loop.last %}
union all
{%- endif -%}
{% endfor %}
