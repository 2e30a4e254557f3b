{#
  What a gold model has to rebuild: the keys whose inputs changed since the model was last built.

  Each scope is a select of keys that reads `built_at > <when the model was last built>`; a run that failed in
  between is caught up with, because the watermark belongs to the model that reads. The rows of the scope are
  deleted (a pre-hook, in the same transaction as the insert on DuckDB) and inserted anew, so that what left the
  scope is gone as well.

  Refunds, fees and payments are asked for in int_refunds, int_fees and int_payments: a row that breaks a rule since its
  newest version, or that a better source tells now, is still there and says so; in silver it is no more.
#}

{# Orders whose lines have to be rebuilt: the order, a line, an item's cost or the day's rate changed. #}
{% macro gold_touched_order_lines() -%}
{%- set since = watermark() -%}
select orders.channel, orders.order_id
from {{ ref('orders') }} as orders
where orders.built_at > {{ since }}
union
select order_lines.channel, order_lines.order_id
from {{ ref('order_lines') }} as order_lines
where order_lines.built_at > {{ since }}
union
select order_lines.channel, order_lines.order_id
from {{ ref('order_lines') }} as order_lines
inner join {{ ref('fct_item_costs') }} as item_costs on item_costs.item_id = order_lines.item_id
where item_costs.built_at > {{ since }}
union
select orders.channel, orders.order_id
from {{ ref('orders') }} as orders
inner join {{ ref('fx_daily') }} as fx on fx.currency = orders.currency and fx.rate_date = orders.business_date
where fx.built_at > {{ since }}
{%- endmacro %}

{# Orders to be rebuilt: one whose lines have to be, or whose refunds, fees, or where it goes changed. #}
{% macro gold_touched_orders() -%}
{%- set since = watermark() -%}
{{ gold_touched_order_lines() }}
union
{%- for rows in [ref('fct_refunds'), ref('int_refunds'), ref('fct_fees'), ref('int_fees')] %}
select money.channel, money.order_id
from {{ rows }} as money
where money.built_at > {{ since }} and money.order_id is not null
union
{%- endfor %}
select orders.channel, orders.order_id
from {{ ref('orders') }} as orders
inner join {{ ref('destinations') }} as destinations
    on destinations.stated_country = orders.ship_country
    and destinations.postcode_area = coalesce(orders.ship_postcode_area, '')
where destinations.built_at > {{ since }}
{%- if is_incremental() %}
union
-- A changed table of zones concerns the orders since the first day it speaks of.
select orders.channel, orders.order_id
from {{ ref('orders') }} as orders
where orders.business_date >= {{ earliest_date(ref('delivery_zones'), 'valid_from', 'built_at > ' ~ since) }}
    and orders.ship_country is not null
{%- endif %}
{%- endmacro %}

{# Refunds to be rebuilt: the refund, its order (which decides whether it counts) or its day's rate changed. #}
{% macro gold_touched_refunds() -%}
{%- set since = watermark() -%}
select refunds.channel, refunds.refund_id
from {{ ref('int_refunds') }} as refunds
where refunds.built_at > {{ since }}
union
select refunds.channel, refunds.refund_id
from {{ ref('refunds') }} as refunds
inner join {{ ref('orders') }} as orders on orders.channel = refunds.channel and orders.order_id = refunds.order_id
where orders.built_at > {{ since }}
union
select refunds.channel, refunds.refund_id
from {{ ref('refunds') }} as refunds
inner join {{ ref('fx_daily') }} as fx on fx.currency = refunds.currency and fx.rate_date = refunds.business_date
where fx.built_at > {{ since }}
{%- endmacro %}

{# Rows of a simple silver table to be re-valued: the row or its day's rate changed. #}
{% macro gold_touched_dated(relation, keys, date_column) -%}
{%- set since = watermark() -%}
select {% for key in keys %}source_rows.{{ key }}{{ ", " if not loop.last }}{% endfor %}
from {{ relation }} as source_rows
where source_rows.built_at > {{ since }}
union
select {% for key in keys %}source_rows.{{ key }}{{ ", " if not loop.last }}{% endfor %}
from {{ relation }} as source_rows
inner join {{ ref('fx_daily') }} as fx
    on fx.currency = source_rows.currency and fx.rate_date = {{ date_column }}
where fx.built_at > {{ since }}
{%- endmacro %}

{# What stands for the order of a refund that has none. #}
{% macro key_without_order(refund_id) -%} concat('refund:', {{ refund_id }}) {%- endmacro %}

{#
  Orders (or refunds without one) that were rebuilt since this model was. A refund of an unknown order has a key of its own
  until the order is known.
#}
{% macro gold_rebuilt_orders() -%}
{%- set since = watermark() -%}
select orders.channel, orders.order_id as order_key
from {{ ref('fct_orders') }} as orders
where orders.built_at > {{ since }}
union
select refunds.channel, refunds.order_key
from {{ ref('fct_refunds') }} as refunds
where refunds.built_at > {{ since }}
union
select refunds.channel, {{ key_without_order('refunds.refund_id') }} as order_key
from {{ ref('int_refunds') }} as refunds
where refunds.built_at > {{ since }}
{%- endmacro %}

{# Every business day those orders and refunds are on, or ever were. #}
{% macro gold_touched_days() -%}
{%- set since = watermark() -%}
select distinct links.business_date
from {{ ref('int_order_links') }} as links
inner join (
    {{ gold_rebuilt_orders() }}
) as rebuilt on rebuilt.channel = links.channel and rebuilt.order_key = links.order_key
{%- endmacro %}

{# Months in which one of those days is, or a sale of which an item or what came back of it changed. #}
{% macro gold_touched_sale_months() -%}
{%- set since = watermark() -%}
select {{ month_start('days.business_date') }} as sale_month
from (
    {{ gold_touched_days() }}
) as days
union
select {{ month_start('lines.business_date') }} as sale_month
from {{ ref('fct_order_lines') }} as lines
inner join {{ ref('dim_item') }} as items on items.item_id = lines.item_id
where items.built_at > {{ since }}
union
select {{ month_start('lines.business_date') }} as sale_month
from {{ ref('fct_order_lines') }} as lines
inner join {{ ref('refund_lines') }} as refund_lines
    on
        refund_lines.channel = lines.channel
        and refund_lines.order_id = lines.order_id
        and refund_lines.line_id = lines.line_id
where refund_lines.built_at > {{ since }}
{%- endmacro %}

{# Every person those orders are of, or ever were, the people whose own record changed, and those who are somebody else now. #}
{% macro gold_touched_people() -%}
{%- set since = watermark() -%}
select links.person_id
from {{ ref('int_order_links') }} as links
inner join (
    {{ gold_rebuilt_orders() }}
) as rebuilt on rebuilt.channel = links.channel and rebuilt.order_key = links.order_key
where links.person_id is not null
union
select customers.person_id
from {{ ref('customers') }} as customers
where customers.built_at > {{ since }}
union
{{ newly_linked() }}
{%- endmacro %}

{# Every item those orders hold, or ever held, and the items whose own record, cost or listing changed. #}
{% macro gold_touched_items() -%}
{%- set since = watermark() -%}
select links.item_id
from {{ ref('int_order_links') }} as links
inner join (
    {{ gold_rebuilt_orders() }}
) as rebuilt on rebuilt.channel = links.channel and rebuilt.order_key = links.order_key
where links.item_id is not null
union
select items.item_id
from {{ ref('items') }} as items
where items.built_at > {{ since }}
union
select item_costs.item_id
from {{ ref('fct_item_costs') }} as item_costs
where item_costs.built_at > {{ since }}
union
select listings.item_id
from {{ ref('listings') }} as listings
where listings.built_at > {{ since }} and listings.item_id is not null
union
select refund_lines.item_id
from {{ ref('refund_lines') }} as refund_lines
where refund_lines.built_at > {{ since }} and refund_lines.item_id is not null
{%- endmacro %}

{# Payouts whose own record or one of whose ledger lines changed. #}
{% macro gold_touched_payouts() -%}
{%- set since = watermark() -%}
select payouts.channel, payouts.payout_id
from {{ ref('fct_payouts') }} as payouts
where payouts.built_at > {{ since }}
union
select payout_lines.channel, payout_lines.payout_id
from {{ ref('payout_lines') }} as payout_lines
where payout_lines.built_at > {{ since }} and payout_lines.payout_id is not null
{%- endmacro %}

{# Items one of whose cost lines, or the rate of its day, changed. #}
{% macro gold_touched_item_costs() -%}
{%- set since = watermark() -%}
{{ gold_touched_dated(ref('item_costs'), ['item_id'], 'source_rows.cost_date') }}
{%- endmacro %}

{# Orders whose own record changed. #}
{% macro gold_changed_orders() -%}
{%- set since = watermark() -%}
select orders.channel, orders.order_id
from {{ ref('orders') }} as orders
where orders.built_at > {{ since }}
{%- endmacro %}

{# Fees to be re-valued. A ledger entry never moves to another day or order. #}
{% macro gold_touched_fees() -%}
{%- set since = watermark() -%}
{{ gold_touched_dated(ref('int_fees'), ['channel', 'fee_id'], 'source_rows.business_date') }}
{%- endmacro %}

{# Payments to be re-valued: the payment or its day's rate changed, or the order that it came with. #}
{% macro gold_touched_payments() -%}
{%- set since = watermark() -%}
{{ gold_touched_dated(ref('int_payments'), ['channel', 'payment_id'], business_date('source_rows.paid_at')) }}
union
select payments.channel, payments.payment_id
from {{ ref('payments') }} as payments
inner join {{ ref('orders') }} as orders on orders.channel = payments.channel and orders.order_id = payments.order_id
where orders.built_at > {{ since }}
{%- endmacro %}

{# Payouts to be re-valued. #}
{% macro gold_touched_payout_records() -%}
{%- set since = watermark() -%}
{{ gold_touched_dated(ref('payouts'), ['channel', 'payout_id'], 'source_rows.business_date') }}
{%- endmacro %}

{# Shipments to be rebuilt: the shipment, its order, its destination or the zones changed. #}
{% macro gold_touched_shipments() -%}
{%- set since = watermark() -%}
select shipments.channel, shipments.shipment_id
from {{ ref('shipments') }} as shipments
where shipments.built_at > {{ since }}
union
select shipments.channel, shipments.shipment_id
from {{ ref('shipments') }} as shipments
inner join {{ ref('orders') }} as orders
    on orders.channel = shipments.channel and orders.order_id = shipments.order_id
where orders.built_at > {{ since }}
union
select shipments.channel, shipments.shipment_id
from {{ ref('shipments') }} as shipments
inner join {{ ref('orders') }} as orders
    on orders.channel = shipments.channel and orders.order_id = shipments.order_id
inner join {{ ref('destinations') }} as destinations
    on destinations.stated_country = orders.ship_country
    and destinations.postcode_area = coalesce(orders.ship_postcode_area, '')
where destinations.built_at > {{ since }}
union
-- A changed table of zones concerns the parcels sent since the first day it speaks of.
select shipments.channel, shipments.shipment_id
from {{ ref('shipments') }} as shipments
where shipments.shipped_at >= {{ earliest(ref('delivery_zones'), 'valid_from', 'built_at > ' ~ since, slack_days=1) }}
{%- endmacro %}

{# Listings one of whose versions changed. #}
{% macro gold_touched_listings() -%}
select distinct listings.channel, listings.listing_id
from {{ ref('listings') }} as listings
where listings.built_at > {{ watermark() }}
{%- endmacro %}

{# Items whose stock history was rebuilt (any change of an item rebuilds it), or whose listings were. #}
{% macro gold_rebuilt_items() -%}
{%- set since = watermark() -%}
select spells.item_id
from {{ ref('fct_stock_spells') }} as spells
where spells.built_at > {{ since }}
union
select listings.item_id
from {{ ref('dim_listing') }} as listings
where listings.built_at > {{ since }} and listings.item_id is not null
{%- endmacro %}

{# Days with a rebuilt fee; a ledger entry never moves to another day. #}
{% macro gold_touched_fee_days() -%}
{%- for rows in [ref('fct_fees'), ref('int_fees')] %}
select fees.business_date
from {{ rows }} as fees
where fees.built_at > {{ watermark() }}
{{ 'union' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#
  Sessions that were made anew, and those that are no more: one that a late event joined to another, or moved the beginning
  of, has another id now. They are looked for where sessions were made anew, which is where silver clears them.
#}
{% macro gold_touched_sessions() -%}
{%- set sessions = ref('sessions') -%}
select sessions.session_id
from {{ sessions }} as sessions
where sessions.built_at > {{ watermark() }}
{%- if is_incremental() %}
union
select known.session_id
from {{ this }} as known
where known.started_at >= {{ earliest(sessions, 'started_at', 'built_at > ' ~ watermark(), slack_days=7) }}
    and not exists (select 1 from {{ sessions }} as sessions where sessions.session_id = known.session_id)
{%- endif %}
{%- endmacro %}
