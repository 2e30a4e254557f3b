{{ config(materialized='view') }}
{#-
  Lines of till receipts in the conformed form, sales and returns. What was paid for a line is its line_total, plus the tax
  where prices do not include it.
-#}

with amounts as (
    select
        lines.*,
        coalesce(lines.discount_amount, {{ zero_money() }}) as discount,
        coalesce(lines.tax_amount, {{ zero_money() }}) as tax,
        cast(
            lines.line_total + coalesce(lines.discount_amount, 0)
            - case when {{ is_true('lines.tax_included') }} then coalesce(lines.tax_amount, 0) else 0 end
            as {{ type_money() }}
        ) as gross_amount
    from {{ ref('stg_pos__transactions') }} as lines
)

select
    'pos' as channel,
    'pos_transactions' as source_table,
    coalesce(transaction_id, '') as order_id,
    line_id,
    item_id,
    {{ null_text() }} as product_id,
    title,
    line_type,
    quantity,
    currency,
    gross_amount,
    coalesce({{ quotient('gross_amount', 'quantity') }}, gross_amount) as price_amount,
    discount as discount_amount,
    tax as tax_amount,
    cast(gross_amount - discount + tax as {{ type_money() }}) as line_total_amount,
    sold_at as ordered_at,
    store_id,
    person_id,
    payment_method,
    source_updated_at,
    version_at,
    record_id,
    built_at
from amounts
