{{ config(unique_key='order_id', meta={'bound_by': 'bound_at'}) }}
{#-
  Every receipt of Etsy's API in the conformed form, with the reasons that keep it out of silver.orders.

  Etsy does not say whether its totals contain the gift wrapping, nor whether prices include the VAT: of the possible
  readings the one that gives the receipt's own total is taken. Wrapping counts as shipping. Tax that the total contains is
  on goods and shipping alike, in proportion to what was paid for them. A receipt says little of refunds: payments and
  ledger say the rest.
-#}
{%- set untaxed = 'goods - discount + shipping' -%}

with touched as (
    {{ etsy_touched_orders() | indent(4) }}
),

charges as (
    select order_id, max(currency) as currency, cast(sum(amount) as {{ type_money() }}) as amount
    from {{ ref('int_etsy__ledger') }}
    where entry_kind = 'charge'
    {%- if is_incremental() %}
        and created_at >= {{ etsy_touched_since() }}
    {%- endif %}
    group by order_id
),

refunds as (
    select
        order_id,
        cast(sum(refund_amount) as {{ type_money() }}) as amount,
        max(refunded_at) as refunded_at
    from {{ ref('int_etsy__refunds') }}
    {%- if is_incremental() %}
    where ordered_at >= {{ etsy_touched_since() }}
    {%- endif %}
    group by order_id
),

lines as (
    select
        order_id,
        count(*) as line_count,
        min(coalesce(quantity, -1)) as lowest_quantity,
        count(*) - count(unit_price) as lines_without_price,
        cast(sum(unit_price * quantity) as {{ type_money() }}) as lines_goods
    from {{ ref('stg_etsy__transactions') }}
    {%- if is_incremental() %}
    where {{ not_before('ordered_at', etsy_touched_since()) }}
    {%- endif %}
    group by order_id
),

receipts as (
    select
        receipts.order_id,
        receipts.person_id,
        receipts.created_at,
        receipts.updated_at,
        receipts.status,
        receipts.is_shipped,
        receipts.currency,
        receipts.ship_country,
        receipts.ship_postcode_area,
        receipts.total_amount as total,
        coalesce(receipts.goods_amount, {{ zero_money() }}) as goods,
        coalesce(receipts.discount_amount, {{ zero_money() }}) as discount,
        coalesce(receipts.shipping_amount, {{ zero_money() }}) as stated_shipping,
        coalesce(receipts.gift_wrap_amount, {{ zero_money() }}) as gift_wrap,
        coalesce(receipts.sales_tax_amount, {{ zero_money() }}) as sales_tax,
        coalesce(receipts.vat_amount, {{ zero_money() }}) as vat,
        receipts.source_updated_at,
        receipts.version_at,
        receipts.record_id,
        coalesce(lines.line_count, 0) as line_count,
        lines.lowest_quantity,
        lines.lines_without_price,
        lines.lines_goods,
        charges.currency as settlement_currency,
        charges.amount as settled_amount,
        case when {{ is_true('receipts.is_paid') }} or charges.order_id is not null then 1 else 0 end as has_paid,
        coalesce(refunds.amount, {{ zero_money() }}) as refunded,
        refunds.refunded_at,
        0.01 * (case when lines.line_count > 1 then lines.line_count else 1 end) as tolerance
    from {{ ref('stg_etsy__receipts') }} as receipts
    inner join touched on touched.order_id = receipts.order_id
    left join lines on lines.order_id = receipts.order_id
    left join charges on charges.order_id = receipts.order_id
    left join refunds on refunds.order_id = receipts.order_id
    {%- if is_incremental() %}
    where {{ not_before('receipts.created_at', etsy_touched_since()) }}
    {%- endif %}
),

wrapped as (
    select
        receipts.*,
        cast(stated_shipping + case
            when abs(goods - discount + stated_shipping + sales_tax - total) <= tolerance then 0
            when abs(goods - discount + stated_shipping + sales_tax + vat - total) <= tolerance then 0
            else gift_wrap
        end as {{ type_money() }}) as shipping
    from receipts
),

reading as (
    select
        wrapped.*,
        case when abs({{ untaxed }} + sales_tax - total) <= tolerance then vat else {{ zero_money() }} end
            as included_tax,
        case
            when abs({{ untaxed }} + sales_tax - total) <= tolerance then sales_tax
            else cast(sales_tax + vat as {{ type_money() }})
        end as added_tax
    from wrapped
),

shared as (
    select
        reading.*,
        cast(coalesce({{ quotient(product('included_tax', 'shipping'), untaxed) }}, 0) as {{ type_money() }})
            as included_shipping_tax,
        cast(coalesce({{ quotient(product('added_tax', 'shipping'), untaxed) }}, 0) as {{ type_money() }}) as added_shipping_tax
    from reading
),

conformed as (
    select
        'etsy' as channel,
        'etsy_receipts' as source_table,
        order_id,
        order_id as order_name,
        person_id,
        created_at as ordered_at,
        {{ business_date('created_at') }} as business_date,
        case
            when status in ('canceled', 'cancelled') then 'cancelled'
            when refunded > 0 and refunded >= total or status = 'fully refunded' then 'refunded'
            when refunded > 0 or status = 'partially refunded' then 'partially_refunded'
            when {{ is_true('is_shipped') }} or status = 'completed' then 'completed'
            else 'open'
        end as status,
        case
            when has_paid = 0 and status in ('canceled', 'cancelled') then 'voided'
            when has_paid = 0 and (status is null or status in ('open', 'payment processing')) then 'pending'
            when has_paid = 0 then status
            when refunded > 0 and refunded >= total or status = 'fully refunded' then 'refunded'
            when refunded > 0 or status = 'partially refunded' then 'partially_refunded'
            else 'paid'
        end as payment_status,
        case when {{ is_true('is_shipped') }} or status = 'completed' then 'fulfilled' else 'unfulfilled' end
            as fulfilment_status,
        {{ flag_literal(false) }} as is_test,
        {{ flag('has_paid = 1') }} as is_paid,
        case when status in ('canceled', 'cancelled') then coalesce(refunded_at, updated_at) end as cancelled_at,
        currency,
        line_count,
        cast(goods - included_tax + included_shipping_tax as {{ type_money() }}) as gross_amount,
        discount as discount_amount,
        cast(shipping - included_shipping_tax as {{ type_money() }}) as shipping_amount,
        cast(included_tax + added_tax as {{ type_money() }}) as tax_amount,
        {{ zero_money() }} as surcharge_amount,
        total as total_amount,
        goods as goods_amount,
        cast(included_tax - included_shipping_tax as {{ type_money() }}) as included_goods_tax,
        cast(added_tax - added_shipping_tax as {{ type_money() }}) as added_goods_tax,
        cast(case
            when settlement_currency = currency then 1
            else {{ quotient('settled_amount', 'total', 12) }}
        end as {{ type_fx_rate() }}) as channel_fx_rate,
        coalesce(settlement_currency, currency) as settlement_currency,
        ship_country,
        ship_postcode_area,
        {{ null_text() }} as store_id,
        {{ null_text() }} as customer_locale,
        {{ null_flag() }} as email_consent,
        source_updated_at,
        version_at,
        record_id,
        coalesce(created_at, version_at) as bound_at,
        lowest_quantity,
        lines_without_price,
        lines_goods
    from shared
)

select
    {%- for column in order_columns() %}
    {{ column }},
    {%- endfor %}
    source_table,
    line_count,
    goods_amount,
    included_goods_tax,
    added_goods_tax,
    customer_locale,
    email_consent,
    version_at,
    bound_at,
    {{ order_rejections('ordered_at', [
        ['lines_without_price > 0', 'line without a price'],
        ['abs(lines_goods - goods_amount) > 0.01 * line_count', 'lines do not add up'],
    ]) }} as reject_reason,
    {{ built_at() }} as built_at
from conformed
