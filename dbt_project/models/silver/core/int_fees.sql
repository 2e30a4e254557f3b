{{ config(unique_key=['channel', 'source_entry_id'], meta={'bound_by': 'charged_at', 'keep_where': 'fee_id is not null'}) }}
{#-
  What the channels charge, positive as a cost, with the rules that it breaks. The channel's ledger is the one source:
  Shopify's balance transactions (the fee on each, and the entries that are charges by themselves), Etsy's payment account.
  Lines of Etsy's statement carry no id to find the same entry by: the days that the account is known for are left to the
  account, and the statement's lines of them are superseded. They stay here, so that gold sees them go.
-#}
{%- set charge_types = [
    'shipping_label', 'shipping_label_adjustment', 'shipping_label_adjustment_base',
    'shipping_label_adjustment_surcharge', 'shipping_other_carrier_charge_adjustment',
    'shipping_return_to_origin_adjustment', 'chargeback_fee', 'chargeback_fee_refund', 'application_fee_refund',
    'ach_bank_failure_debit_fee', 'ach_bank_failure_debit_reversal_fee', 'referral_fee', 'referral_fee_tax', 'stripe_fee',
    'marketplace_fee_credit', 'marketplace_fee_credit_reversal', 'billing_debit', 'billing_debit_reversal',
    'customs_duty', 'customs_duty_adjustment', 'import_tax', 'import_tax_adjustment', 'import_tax_refund',
    'shop_cash_campaign_billing_debit', 'shop_cash_campaign_billing_debit_reversal',
    'shop_cash_campaign_billing_credit', 'shop_cash_campaign_billing_credit_reversal',
] -%}

with entries as (
    select *
    from {{ ref('stg_shopify__balance_transactions') }}
    where built_at > {{ watermark() }}
),

statement as (
    select
        statement.*,
        case
            when statement_date >= {{ earliest_date(ref('int_etsy__ledger'), 'business_date', none) }}
                and statement_date <= {{ latest_date(ref('int_etsy__ledger'), 'business_date') }} then 1
            else 0
        end as is_in_account
    from {{ ref('stg_etsy__statement') }} as statement
    where built_at > {{ watermark() }}
    {%- if is_incremental() %}
        -- Days that the account has covered since.
        or statement_date >= {{ earliest_date(
            ref('int_etsy__ledger'), 'business_date', 'built_at > ' ~ watermark()
        ) }}
    {%- endif %}
),

charged as (
    select
        'shopify' as channel,
        case
            when {{ is_true('is_test') }} or coalesce(fee_amount, 0) = 0 then null
            else concat(transaction_id, ':processing_fee')
        end as fee_id,
        transaction_id as source_entry_id,
        order_id,
        payout_id,
        'processing_fee' as fee_type,
        transacted_at as charged_at,
        {{ business_date('transacted_at') }} as business_date,
        currency,
        fee_amount,
        {{ flag_literal(false) }} as is_superseded
    from entries
    union all
    select
        'shopify' as channel,
        case when not ({{ is_true('is_test') }}) then concat(transaction_id, ':', transaction_type) end as fee_id,
        transaction_id as source_entry_id,
        order_id,
        payout_id,
        transaction_type as fee_type,
        transacted_at as charged_at,
        {{ business_date('transacted_at') }} as business_date,
        currency,
        cast(-amount as {{ type_money() }}) as fee_amount,
        {{ flag_literal(false) }} as is_superseded
    from entries
    where transaction_type in ('{{ charge_types | join("', '") }}')
    union all
    select
        'etsy' as channel,
        case when coalesce(fees_taxes, 0) <> 0 then natural_key end as fee_id,
        natural_key as source_entry_id,
        case when info like 'Order #%' then {{ text_before("substring(info, 8, 100)", ' ') }} end as order_id,
        {{ null_text() }} as payout_id,
        replace(entry_type, ' ', '_') as fee_type,
        {{ midnight_utc('statement_date') }} as charged_at,
        statement_date as business_date,
        currency,
        cast(-fees_taxes as {{ type_money() }}) as fee_amount,
        {{ flag('is_in_account = 1') }} as is_superseded
    from statement
    {{- and_channels('fees', fee_columns() + [flag_literal(false) ~ ' as is_superseded']) }}
)

select
    channel,
    fee_id,
    source_entry_id,
    order_id,
    payout_id,
    coalesce(nullif(fee_type, ''), 'unknown') as fee_type,
    charged_at,
    business_date,
    currency,
    fee_amount,
    is_superseded,
    {{ fee_rejections('charged') }} as reject_reason,
    {{ built_at() }} as built_at
from charged
{%- if not is_incremental() %}
where charged.fee_id is not null
{%- endif %}
