{{ config(unique_key='order_id', meta={'bound_by': 'bound_at'}) }}
{#- Every order of Shopify's API in the conformed form, with the reasons that keep it out of silver.orders. -#}

with lines as (
    select
        order_id,
        count(*) as line_count,
        min(coalesce(quantity, -1)) as lowest_quantity,
        cast(sum(gross_amount) as {{ type_money() }}) as gross_amount,
        cast(sum(discount_amount) as {{ type_money() }}) as discount_amount,
        cast(sum(tax_amount) as {{ type_money() }}) as tax_amount
    from {{ ref('int_order_lines__shopify') }}
    where built_at > {{ watermark() }}
    group by order_id
),

orders as (
    select
        orders.order_id,
        orders.order_name,
        orders.person_id,
        orders.created_at,
        orders.cancelled_at,
        orders.financial_status,
        orders.fulfilment_status,
        orders.is_test,
        orders.taxes_included,
        orders.currency,
        orders.shop_currency,
        coalesce(orders.tax_amount, {{ zero_money() }}) as tax_amount,
        orders.total_amount,
        orders.shop_total_amount,
        orders.ship_country,
        orders.ship_postcode_area,
        orders.retail_location_id,
        orders.customer_locale,
        orders.marketing_state,
        orders.source_updated_at,
        orders.version_at,
        orders.record_id,
        coalesce(lines.line_count, 0) as line_count,
        lines.lowest_quantity,
        coalesce(lines.gross_amount, {{ zero_money() }}) as gross_amount,
        coalesce(lines.discount_amount, {{ zero_money() }}) as discount_amount,
        -- The tax that is on no line is on the shipping; where prices include tax it is taken out of the shipping too.
        cast(
            {{ sum_of('orders.shipping_lines', 'discountedPriceSet.presentmentMoney.amount') }}
            - case
                when {{ is_true('orders.taxes_included') }}
                    then coalesce(orders.tax_amount, 0) - coalesce(lines.tax_amount, 0)
                else 0
            end as {{ type_money() }}
        ) as shipping_amount
    from {{ ref('stg_shopify__orders') }} as orders
    left join lines on lines.order_id = orders.order_id
    where orders.built_at > {{ watermark() }}
)

select
    'shopify' as channel,
    'shopify_orders' as source_table,
    order_id,
    order_name,
    person_id,
    created_at as ordered_at,
    {{ business_date('created_at') }} as business_date,
    case
        when cancelled_at is not null then 'cancelled'
        when financial_status in ('refunded', 'partially_refunded') then financial_status
        when fulfilment_status = 'fulfilled' then 'completed'
        else 'open'
    end as status,
    coalesce(financial_status, 'pending') as payment_status,
    coalesce(fulfilment_status, 'unfulfilled') as fulfilment_status,
    {{ flag(is_true('is_test')) }} as is_test,
    {{ flag("financial_status in ('paid', 'partially_refunded', 'refunded')") }} as is_paid,
    cancelled_at,
    currency,
    line_count,
    gross_amount,
    discount_amount,
    shipping_amount,
    tax_amount,
    total_amount,
    cast(case
        when currency = shop_currency then 1
        else {{ quotient('shop_total_amount', 'total_amount', 12) }}
    end as {{ type_fx_rate() }}) as channel_fx_rate,
    shop_currency as settlement_currency,
    taxes_included,
    ship_country,
    ship_postcode_area,
    retail_location_id as store_id,
    customer_locale,
    {{ flag("marketing_state = 'subscribed'") }} as email_consent,
    source_updated_at,
    version_at,
    record_id,
    {{ order_rejections('created_at') }} as reject_reason,
    coalesce(created_at, version_at) as bound_at,
    {{ built_at() }} as built_at
from orders
