{# Days whose figures of int_kpis__inventory have to be computed anew. #}
{% macro gold_touched_inventory_kpi_days() -%}
{%- set sales = ref('agg_daily_sales') -%}
{%- set stock = ref('agg_daily_stock') -%}
{{ gold_rebuilt_days([sales, stock]) }}
union
{{ gold_vanished_kpi_days('oversells_per_1000_orders', sales) }}
union
select known.business_date
from {{ this }} as known
left join {{ stock }} as stock on stock.business_date = known.business_date
where known.kpi in ('sell_through', 'aged_inventory_pct') and stock.business_date is null
union
{{ gold_changed_kpi_days('oversells', ref('rpt_oversells'), 'count(*)') }}
{%- endmacro %}
