{{ config(materialized='view') }}
{#- The table of macros/tracking_statuses.sql, to be joined and to be looked at. -#}

{% for row in tracking_statuses() -%}
select
    cast('{{ row[0] }}' as {{ type_text(40) }}) as provider,
    cast('{{ row[1] }}' as {{ type_text(40) }}) as provider_status,
    cast('{{ row[2] }}' as {{ type_text(60) }}) as provider_detail,
    cast('{{ row[3] }}' as {{ type_text(40) }}) as status
{%- if not loop.last %}
union all
{% endif %}
{% endfor %}
