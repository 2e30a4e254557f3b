{# What the models about listings and times in stock have to rebuild, and forget. #}

{# Listings that were rebuilt since the calling model was. #}
{% macro gold_touched_listing_days() -%}
select distinct listings.channel, listings.listing_id
from {{ ref('dim_listing') }} as listings
where listings.built_at > {{ watermark() }}
{%- endmacro %}

{# Pre-hook: forget the days after the last day of sales. #}
{% macro gold_forget_future_days() -%}
{%- set sales = ref('agg_daily_sales') -%}
{%- if is_incremental() -%}
delete from {{ this }} where business_date > {{ latest_date(sales, 'business_date') }}
{%- endif -%}
{%- endmacro %}

{# Pieces whose stock or listings were rebuilt since the calling model was. #}
{% macro gold_rebuilt_sold_items() -%}
select items.item_id
from {{ ref('dim_item') }} as items
where items.built_at > {{ watermark() }}
{%- endmacro %}

{# The first day on which the times in stock are other ones than when the calling model was built. #}
{% macro gold_first_changed_cell() -%}
{{ earliest_date(ref('int_stock_cells'), 'effective_date', 'built_at > ' ~ watermark()) }}
{%- endmacro %}

{# Pre-hook: forget the days from that one on, and those that are no day of stock any more. #}
{% macro gold_forget_days_to_sell() -%}
{%- set stock = ref('agg_daily_stock') -%}
{%- set first_changed = gold_first_changed_cell() -%}
{%- if is_incremental() -%}
delete from {{ this }}
where
    business_date >= {{ first_changed }}
    or not exists (select 1 from {{ stock }} as stock where stock.business_date = {{ this }}.business_date)
{%- endif -%}
{%- endmacro %}
