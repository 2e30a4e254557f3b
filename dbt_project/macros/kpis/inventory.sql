{# Days whose figures of int_kpis__inventory have to be computed anew. #}
{% macro gold_touched_inventory_kpi_days() -%}
{%- set sales = ref('agg_daily_sales') -%}
{%- set stock = ref('agg_daily_stock') -%}
{%- set categories = ref('agg_daily_category_stock') -%}
{{ gold_rebuilt_days([sales, stock, categories, ref('rpt_gmroi'), ref('agg_daily_days_to_sell'), ref('fct_delistings')]) }}
union
-- A piece whose stock or listings changed may be taken down at another time, or its last sale be another one.
select links.business_date
from {{ ref('int_order_links') }} as links
inner join {{ ref('dim_item') }} as items on items.item_id = links.item_id
where items.built_at > {{ watermark() }}
union
{{ gold_vanished_kpi_days('oversells_per_1000_orders', sales) }}
union
select known.business_date
from {{ this }} as known
left join {{ stock }} as stock on stock.business_date = known.business_date
where known.kpi in ('sell_through', 'aged_inventory_pct', 'gmroi', 'days_to_sell') and stock.business_date is null
union
select known.business_date
from {{ this }} as known
left join {{ categories }} as stock
    on stock.business_date = known.business_date and stock.category = known.category
where known.category <> 'all' and stock.category is null
union
{{ gold_changed_kpi_days('oversells', ref('rpt_oversells'), 'count(*)') }}
{%- endmacro %}
