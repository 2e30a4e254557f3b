{# Days whose figures of int_kpis__marketing have to be computed anew. #}
{% macro gold_touched_marketing_kpi_days() -%}
{%- set customers = ref('agg_daily_customers') -%}
{%- set campaigns = ref('agg_daily_campaigns') -%}
{{ gold_rebuilt_days([customers, campaigns]) }}
union
select known.business_date
from {{ this }} as known
left join {{ customers }} as customers
    on customers.business_date = known.business_date and customers.channel = known.channel
where known.kpi = 'repeat_rate_365d' and customers.channel is null
union
select known.business_date
from {{ this }} as known
where known.kpi = 'roas'
    and not exists (select 1 from {{ campaigns }} as campaigns where campaigns.business_date = known.business_date)
{%- endmacro %}
