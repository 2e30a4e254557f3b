{# Days whose figures of int_kpis__customer_experience have to be computed anew. #}
{% macro gold_touched_customer_experience_kpi_days() -%}
{%- set sessions = ref('agg_daily_sessions') -%}
{{ gold_rebuilt_days([sessions]) }}
union
select known.business_date
from {{ this }} as known
where not exists (select 1 from {{ sessions }} as daily where daily.business_date = known.business_date)
{%- endmacro %}
