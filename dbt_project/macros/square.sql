{# What several models of Square's records share. #}

{#
  The orders of Square that are new to the calling model: their record is, or the stock number of a variation that they sold
  or took back became known. A piece is put into the catalogue before it is sold, so what is new there is looked for from its
  own time on.
#}
{% macro square_touched_orders() -%}
{#- Named outside the condition below, so that dbt sees the dependencies in either branch. -#}
{%- set skus = ref('int_square_skus') -%}
{%- set lines = ref('stg_square__order_lines') -%}
{%- set return_lines = ref('stg_square__return_lines') -%}
select order_id
from {{ ref('stg_square__orders') }}
where built_at > {{ watermark() }}
{%- if is_incremental() %}
{%- for sold in [lines, return_lines] %}
union
select sold.order_id
from {{ sold }} as sold
inner join {{ skus }} as skus on skus.variation_id = sold.variation_id
where skus.built_at > {{ watermark() }} and sold.created_at >= {{ earliest_square_sku() }}
{%- endfor %}
{%- endif %}
{%- endmacro %}

{# Literal lower bound of the orders of square_touched_orders(). #}
{% macro earliest_square_order() -%}
{%- set known = extreme('min', 'created_at', ref('stg_square__orders'), 'built_at > ' ~ watermark(), 7) -%}
{%- set named = extreme('min', 'version_at', ref('int_square_skus'), 'built_at > ' ~ watermark(), 7) -%}
{{ time_literal([known or '2999-01-01 00:00:00.000000', named or '2999-01-01 00:00:00.000000'] | min) }}
{%- endmacro %}

{% macro earliest_square_sku() -%}
{{ earliest(ref('int_square_skus'), 'version_at', 'built_at > ' ~ watermark(), slack_days=7) }}
{%- endmacro %}

{# Rows of a view over Square's orders that belong to touched orders, bounded by literals. #}
{% macro square_touched(relation) -%}
select rows_of.*
from {{ relation }} as rows_of
{%- if is_incremental() %}
where {{ not_before('rows_of.created_at', earliest_square_order()) }}
    and rows_of.order_id in (select touched.order_id from touched)
{%- endif %}
{%- endmacro %}

{# Entries of a payout that are costs by themselves; a payment's own fee is on the payment. #}
{% macro square_charge_types() -%}
  {{- return([
    'deposit_fee', 'deposit_fee_reversed', 'fee', 'gift_card_load_fee', 'gift_card_load_fee_refund', 'local_offers_fee',
    'paid_service_fee', 'paid_service_fee_refund', 'subscription_fee', 'subscription_fee_paid_refund',
    'subscription_fee_refund', 'tax_on_fee', 'third_party_fee', 'third_party_fee_refund',
    'undo_gift_card_load_fee_refund',
  ]) -}}
{%- endmacro %}

{#
  Literal lower bound of the payments that the caller's new records (refunds or entries, by their time `column`) belong to,
  or that are new themselves: a payment can be given back for a year.
#}
{% macro earliest_paid(relation, column) -%}
{%- set named = extreme('min', column, relation, 'built_at > ' ~ watermark(), 400) -%}
{%- set paid = extreme('min', 'created_at', ref('stg_square__payments'), 'built_at > ' ~ watermark()) -%}
{{ time_literal([named or '2999-01-01 00:00:00.000000', paid or '2999-01-01 00:00:00.000000'] | min) }}
{%- endmacro %}

{# Literal lower bound of the payouts and entries that int_payouts__square looks at: entries are older than their payout. #}
{% macro earliest_square_entry(slack_days) -%}
{%- set issued = extreme('min', 'created_at', ref('stg_square__payouts'), 'built_at > ' ~ watermark(), slack_days) -%}
{%- set entered = extreme('min', 'effective_at', ref('stg_square__payout_entries'), 'built_at > ' ~ watermark(), slack_days) -%}
{{ time_literal([issued or '2999-01-01 00:00:00.000000', entered or '2999-01-01 00:00:00.000000'] | min) }}
{%- endmacro %}

{# The payment (or refund) whose fee an entry of a payout withholds or charges; null for other entries. #}
{% macro square_paid_out() -%}
case entry_type when 'charge' then charge_payment_id when 'refund' then refund_id when 'fee' then fee_payment_id end
{%- endmacro %}

{# Literal lower bound of the payments whose fees the calling model builds: an entry comes at most 60 days after its payment. #}
{% macro earliest_square_fee() -%}
{{ earliest_of([
  [ref('int_payments__square'), 'ordered_at', 'built_at > ' ~ watermark(), 1],
  [ref('stg_square__payout_entries'), 'effective_at', 'built_at > ' ~ watermark(), 60],
]) }}
{%- endmacro %}
