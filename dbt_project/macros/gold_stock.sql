{# The items of which there ever was more than one piece, as far as a listing, a stock count or a sale says so. #}
{% macro gold_items_with_several() -%}
select listings.item_id
from {{ ref('dim_listing') }} as listings
where listings.quantity > 1 and listings.item_id is not null
union
select levels.item_id
from {{ ref('inventory_levels') }} as levels
where levels.on_hand > 1 and levels.item_id is not null
union
select lines.item_id
from {{ ref('fct_order_lines') }} as lines
where lines.quantity > 1 and lines.item_id is not null
{%- endmacro %}

{# Literal first day on which a stock move is new to the calling model. #}
{% macro gold_first_move() -%}
{{ earliest_date(ref('int_stock_moves'), 'moved_date', 'built_at > ' ~ watermark()) }}
{%- endmacro %}

{# The figures of a day's stock, of a category or of all. #}
{% macro gold_stock_figures() -%}
{{ return(['opening_items', 'added_items', 'sold_items', 'open_items', 'open_cost_base', 'aged_cost_base']) }}
{%- endmacro %}
