{#
  A row's share of a whole by its part of a total, as the difference of two running shares, so that the shares of all rows
  add up to the whole. `so_far` is the running sum of `part`, the row's own included; where the total is 0 the first row
  (`place` = 1) takes everything. All have at most four decimals.
#}
{% macro gold_share(whole, part, so_far, total, place) -%}
cast(
    case
        when {{ total }} = 0 then case when {{ place }} = 1 then {{ whole }} else 0 end
        else
            {{ quotient(product(whole, so_far), total, 4, 8) }}
            - {{ quotient(product(whole, so_far ~ ' - ' ~ part), total, 4, 8) }}
    end as {{ type_money() }}
)
{%- endmacro %}

{# Orders (or refunds without one) that were rebuilt since this model was, or whose refund lines were. #}
{% macro gold_touched_refund_shares() -%}
{{ gold_rebuilt_orders() }}
union
select refund_lines.channel, coalesce(refund_lines.order_id, {{ key_without_order('refund_lines.refund_id') }}) as order_key
from {{ ref('refund_lines') }} as refund_lines
where refund_lines.built_at > {{ watermark() }}
{%- endmacro %}

{# Every business day of those orders and refunds, and of the orders that hold a piece whose own record changed. #}
{% macro gold_touched_category_days() -%}
select links.business_date
from {{ ref('int_order_links') }} as links
inner join (
    {{ gold_touched_refund_shares() }}
) as rebuilt on rebuilt.channel = links.channel and rebuilt.order_key = links.order_key
union
select days.business_date
from {{ ref('int_order_links') }} as links
inner join {{ ref('items') }} as items on items.item_id = links.item_id
inner join {{ ref('int_order_links') }} as days on days.channel = links.channel and days.order_key = links.order_key
where items.built_at > {{ watermark() }}
{%- endmacro %}
