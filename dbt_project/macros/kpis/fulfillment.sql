{# Days whose figures of int_kpis__fulfillment have to be computed anew: one of them is another than it was. #}
{% macro gold_touched_fulfillment_kpi_days() -%}
{{ gold_differing_kpi_days(
    'on_time_ship_rate', ref('agg_daily_shipping'), 'on_time_ship_rate', 'reported.on_time_ship_rate is not null') }}
union
{{ gold_differing_kpi_days('delivery_days_p50', ref('agg_daily_deliveries'), 'delivery_days_p50', "reported.zone = 'all'") }}
union
{{ gold_differing_kpi_days('delivery_days_p90', ref('agg_daily_deliveries'), 'delivery_days_p90', "reported.zone = 'all'") }}
union
{{ gold_differing_kpi_days('return_rate', ref('agg_daily_returns'), 'return_rate', 'reported.units_sold > 0') }}
{%- endmacro %}
