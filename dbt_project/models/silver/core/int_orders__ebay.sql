{{ config(unique_key='order_id', meta={'bound_by': 'bound_at'}, index='HEAP') }}
{#-
  Every order of eBay's API in the conformed form, with the reasons that keep it out of silver.orders. Its lists stay lists,
  so that the models of lines, payments, refunds and parcels need no look into staging. HEAP because of these.

  Tax that eBay collects and remits is no money of the seller's: where a line states it among its taxes too, the total
  contains it (eBay's rule for fieldGroups=TAX_BREAKDOWN), and it is taken out.
-#}

with fresh as (
    select
        orders.*,
        case when orders.total_amount_charged is not null then 1 else 0 end as is_converted
    from {{ ref('stg_ebay__orders') }} as orders
    where orders.built_at > {{ watermark() }}
),

lines as (
    {{ explode('fresh', 'order_lines', ['order_id', 'is_converted'], ebay_order_line_fields()) | indent(4) }}
),

line_taxes as (
    select
        lines.*,
        {{ ebay_sum('lines.taxes', 'amount', 'lines.cost_charged is not null') }} as stated_tax,
        {{ ebay_sum('lines.remitted_taxes', 'amount', 'lines.cost_charged is not null') }} as remitted_tax
    from lines
),

line_sums as (
    select
        order_id,
        count(*) as line_count,
        min(coalesce(quantity, -1)) as lowest_quantity,
        count(*) - count(cost) as lines_without_cost,
        cast(coalesce(sum({{ ebay_charged('cost') }}), 0) as {{ type_money() }}) as gross_amount,
        cast(coalesce(sum({{ ebay_charged('cost') }} - {{ ebay_charged('discounted_cost') }}), 0) as {{ type_money() }})
            as line_discount_amount,
        cast(sum(stated_tax) as {{ type_money() }}) as stated_tax_amount,
        cast(sum(case when stated_tax >= remitted_tax then remitted_tax else 0 end) as {{ type_money() }})
            as remitted_tax_amount
    from line_taxes
    group by order_id
),

orders as (
    select
        fresh.*,
        coalesce(lines.line_count, 0) as line_count,
        lines.lowest_quantity,
        coalesce(lines.lines_without_cost, 0) as lines_without_cost,
        coalesce(lines.gross_amount, {{ zero_money() }}) as gross_amount,
        coalesce(lines.line_discount_amount, {{ zero_money() }}) as line_discount_amount,
        coalesce(lines.remitted_tax_amount, {{ zero_money() }}) as remitted_tax_amount,
        cast(coalesce(lines.stated_tax_amount, 0) - coalesce(lines.remitted_tax_amount, 0) as {{ type_money() }})
            as tax_amount,
        -- Discounts are stated as negative amounts; an adjustment of the price is negative where it makes it lower.
        cast(
            coalesce(abs({{ ebay_charged('fresh.price_discount') }}), lines.line_discount_amount, 0)
            - coalesce({{ ebay_charged('fresh.adjustment') }}, 0) as {{ type_money() }}
        ) as discount_amount,
        cast(
            coalesce({{ ebay_charged('fresh.delivery_cost') }}, 0)
            - coalesce(abs({{ ebay_charged('fresh.delivery_discount') }}), 0) as {{ type_money() }}
        ) as shipping_amount,
        cast(
            {{ ebay_charged('fresh.total_amount') }} - coalesce(lines.remitted_tax_amount, 0) as {{ type_money() }}
        ) as own_total_amount,
        case
            when fresh.payment_state = 'fully_refunded' then 'refunded'
            when fresh.payment_state = 'pending' and fresh.cancel_state in ('canceled', 'cancelled') then 'voided'
            else coalesce(fresh.payment_state, 'pending')
        end as payment_status,
        case
            when fresh.cancel_state in ('canceled', 'cancelled')
                then coalesce(fresh.cancelled_at, fresh.updated_at, fresh.created_at)
        end as was_cancelled_at
    from fresh
    left join line_sums as lines on lines.order_id = fresh.order_id
),

conformed as (
    select
        'ebay' as channel,
        'ebay_orders' as source_table,
        order_id,
        order_id as order_name,
        person_id,
        created_at as ordered_at,
        {{ business_date('created_at') }} as business_date,
        case
            when was_cancelled_at is not null then 'cancelled'
            when payment_status in ('refunded', 'partially_refunded') then payment_status
            when fulfilment_state = 'fulfilled' then 'completed'
            else 'open'
        end as status,
        payment_status,
        case
            when fulfilment_state is null or fulfilment_state = 'not_started' then 'unfulfilled'
            when fulfilment_state = 'in_progress' then 'partially_fulfilled'
            else fulfilment_state
        end as fulfilment_status,
        {{ flag_literal(false) }} as is_test,
        {{ flag("payment_status in ('paid', 'partially_refunded', 'refunded')") }} as is_paid,
        was_cancelled_at as cancelled_at,
        {{ ebay_charged('currency') }} as currency,
        line_count,
        gross_amount,
        discount_amount,
        shipping_amount,
        tax_amount,
        {{ zero_money() }} as surcharge_amount,
        own_total_amount as total_amount,
        line_discount_amount,
        remitted_tax_amount,
        cast({{ quotient('due_amount', 'due_amount_charged', 12) }} as {{ type_fx_rate() }}) as channel_fx_rate,
        coalesce(settlement_currency, {{ ebay_charged('currency') }}) as settlement_currency,
        coalesce(
            {{ first_of('instructions', 'finalDestinationAddress.countryCode') }},
            {{ first_of('instructions', 'shippingStep.shipTo.contactAddress.countryCode') }},
            tax_country
        ) as ship_country,
        coalesce(
            {{ first_of('instructions', 'finalDestinationAddress.postalCode') }},
            {{ first_of('instructions', 'shippingStep.shipTo.contactAddress.postalCode') }},
            tax_postcode_area
        ) as ship_postcode_area,
        {{ null_text() }} as store_id,
        {{ null_text() }} as customer_locale,
        {{ null_flag() }} as email_consent,
        fulfilment_links,
        order_lines,
        payments,
        refunds,
        source_updated_at,
        version_at,
        record_id,
        lowest_quantity,
        lines_without_cost
    from orders
)

select
    channel,
    source_table,
    order_id,
    order_name,
    person_id,
    ordered_at,
    business_date,
    status,
    payment_status,
    fulfilment_status,
    is_test,
    is_paid,
    cancelled_at,
    currency,
    line_count,
    gross_amount,
    discount_amount,
    shipping_amount,
    tax_amount,
    surcharge_amount,
    total_amount,
    line_discount_amount,
    remitted_tax_amount,
    channel_fx_rate,
    settlement_currency,
    ship_country,
    ship_postcode_area,
    store_id,
    customer_locale,
    email_consent,
    fulfilment_links,
    order_lines,
    payments,
    refunds,
    source_updated_at,
    version_at,
    record_id,
    {{ order_rejections('ordered_at', [['lines_without_cost > 0', 'line without a price']]) }} as reject_reason,
    coalesce(ordered_at, version_at) as bound_at,
    {{ built_at() }} as built_at
from conformed
