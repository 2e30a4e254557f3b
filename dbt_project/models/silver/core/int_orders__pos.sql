{{ config(unique_key='order_id', meta={'bound_by': 'bound_at'}) }}
{#-
  Every receipt with a sale, in the conformed form, with the reasons that keep it out of silver.orders. A receipt is built
  anew from all its lines when one of them changed: a file may bring the second half of a receipt later.
-#}

with lines as (
    {{ touched_receipt_lines() | indent(4) }}
),

receipts as (
    select
        order_id,
        min(ordered_at) as ordered_at,
        max(store_id) as store_id,
        max(person_id) as person_id,
        max(payment_method) as payment_method,
        min(currency) as currency,
        max(currency) as other_currency,
        max(source_updated_at) as source_updated_at,
        max(version_at) as version_at,
        max(record_id) as record_id,
        count(*) as line_count,
        min(coalesce(quantity, -1)) as lowest_quantity,
        max(case when line_type = 'sale' then 0 else 1 end) as has_unknown_line,
        count(*) - count(line_total_amount) as lines_without_total,
        cast(sum(gross_amount) as {{ type_money() }}) as gross_amount,
        cast(sum(discount_amount) as {{ type_money() }}) as discount_amount,
        {{ zero_money() }} as shipping_amount,
        cast(sum(tax_amount) as {{ type_money() }}) as tax_amount,
        {{ zero_money() }} as surcharge_amount,
        cast(sum(line_total_amount) as {{ type_money() }}) as total_amount
    from lines
    where coalesce(line_type, '') <> 'return'
    group by order_id
)

select
    'pos' as channel,
    'pos_transactions' as source_table,
    order_id,
    order_id as order_name,
    person_id,
    ordered_at,
    {{ business_date('ordered_at') }} as business_date,
    'completed' as status,
    'paid' as payment_status,
    'fulfilled' as fulfilment_status,
    {{ flag_literal(false) }} as is_test,
    {{ flag_literal(true) }} as is_paid,
    {{ null_time() }} as cancelled_at,
    currency,
    line_count,
    gross_amount,
    discount_amount,
    shipping_amount,
    tax_amount,
    surcharge_amount,
    total_amount,
    cast(null as {{ type_fx_rate() }}) as channel_fx_rate,
    currency as settlement_currency,
    {{ null_text() }} as ship_country,
    {{ null_text() }} as ship_postcode_area,
    store_id,
    payment_method,
    {{ null_text() }} as customer_locale,
    {{ null_flag() }} as email_consent,
    source_updated_at,
    version_at,
    record_id,
    {{ order_rejections('ordered_at', [
        ['has_unknown_line = 1', 'line is neither sale nor return'],
        ['currency <> other_currency', 'several currencies on one receipt'],
        ['lines_without_total > 0', 'line without a total'],
    ]) }} as reject_reason,
    coalesce(ordered_at, version_at) as bound_at,
    {{ built_at() }} as built_at
from receipts
