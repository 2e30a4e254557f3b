{#-
  Good + quarantined = staged, for money: every staged payout and ledger entry is in silver, every fee and payment in int_fees and
  int_payments, of which silver and quarantine show a part each. Payments come and go with their orders: those of an order that
  is in quarantine, or not known yet, wait for it. (Duplicates end in staging: staging_has_every_bronze_record.)
-#}
{{ config(meta={'dagster': {'ref': {'name': 'payouts'}}}) }}
{%- set shopify_ledger, etsy_ledger = ref('stg_shopify__balance_transactions'), ref('int_etsy__ledger') %}
{%- set staged = [
    ['payouts', 'payout_id', 'shopify', ref('stg_shopify__payouts'), 'staged.payout_id', '1 = 1'],
    ['payouts', 'payout_id', 'etsy', ref('int_payouts__etsy'), 'staged.payout_id', '1 = 1'],
    ['payouts', 'payout_id', 'ebay', ref('stg_ebay__payouts'), 'staged.payout_id', '1 = 1'],
    ['payouts', 'payout_id', 'pos', ref('stg_square__payouts'), 'staged.payout_id', '1 = 1'],
    ['payout_lines', 'transaction_id', 'shopify', shopify_ledger, 'staged.transaction_id', '1 = 1'],
    ['payout_lines', 'transaction_id', 'etsy', etsy_ledger, 'staged.entry_id', '1 = 1'],
    ['payout_lines', 'transaction_id', 'ebay', ref('int_ledger__ebay'), 'staged.transaction_id', 'staged.is_failed = 0'],
    ['payout_lines', 'transaction_id', 'pos', ref('stg_square__payout_entries'), 'staged.entry_id', '1 = 1'],
    ['int_fees', 'source_entry_id', 'shopify', shopify_ledger, 'staged.transaction_id',
        'staged.fee_amount <> 0 and ' ~ is_false('coalesce(staged.is_test, ' ~ flag_literal(false) ~ ')')],
    ['int_fees', 'source_entry_id', 'etsy', etsy_ledger, 'staged.entry_id',
        "staged.entry_kind in ('fee', 'suspense') and staged.amount <> 0"],
    ['int_fees', 'fee_id', 'ebay', ref('int_fees__ebay'), 'staged.fee_id', 'staged.fee_id is not null'],
    ['int_fees', 'fee_id', 'pos', ref('int_fees__square'), 'staged.fee_id', 'staged.fee_id is not null'],
    ['int_payments', 'payment_id', 'shopify', ref('stg_shopify__order_payments'),
        id_or_missing('staged.payment_id', 'staged.order_id'), 'orders'],
    ['int_payments', 'payment_id', 'etsy', ref('stg_etsy__payments'), 'staged.payment_id', 'orders'],
    ['int_payments', 'payment_id', 'ebay', ref('int_payments__ebay'), 'staged.payment_id', 'staged.payment_id is not null'],
    ['int_payments', 'payment_id', 'pos', ref('int_payments__square'), 'staged.payment_id', '1 = 1'],
] %}

{% for table, key, channel, model, staged_key, condition in staged -%}
select '{{ table }}' as silver_table, '{{ channel }}' as channel, {{ staged_key }} as staged_key
from {{ model }} as staged
where
    staged.{{ built_last(model) }}
    {%- if condition == 'orders' %}
    and exists (
        select 1
        from {{ ref('orders') }} as orders
        where orders.channel = '{{ channel }}' and orders.order_id = staged.order_id
    )
    and not exists (
        select 1
        from {{ ref('silver_orders') }} as kept_out
        where kept_out.channel = '{{ channel }}' and kept_out.order_id = staged.order_id
    )
    {%- else %}
    and {{ condition }}
    {%- endif %}
    and not exists (
        select 1
        from {{ ref(table) }} as kept
        where kept.channel = '{{ channel }}' and kept.{{ key }} = {{ staged_key }}
    )
{{ 'union all' if not loop.last }}
{% endfor %}
