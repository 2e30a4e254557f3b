{{ config(unique_key='order_id', meta={'bound_by': 'bound_at'}) }}
{#-
  Every order of Shopify's API in the conformed form, with the reasons that keep it out of silver.orders.

  Tips, duties (unless the prices contain them) and additional fees are surcharges: part of the total beside goods, delivery
  and tax. A tip may be a line of its own, and an edited order owes other duties than it began with: of the possible readings
  the one that gives the order's own total is taken.
-#}

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
        coalesce(orders.tip_amount, {{ zero_money() }}) as tip,
        cast(
            case when {{ is_true('orders.duties_included') }} then 0 else coalesce(orders.duty_amount, 0) end
            + coalesce(orders.additional_fee_amount, 0) as {{ type_money() }}
        ) as fees,
        cast(
            case when {{ is_true('orders.duties_included') }} then 0 else coalesce(orders.current_duty_amount, 0) end
            + coalesce(orders.current_additional_fee_amount, 0) as {{ type_money() }}
        ) as current_fees,
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
),

reading as (
    select
        orders.*,
        total_amount - gross_amount + discount_amount - shipping_amount - tax_amount as left_over,
        0.01 * (case when line_count > 1 then line_count else 1 end) as tolerance
    from orders
),

surcharged as (
    select
        reading.*,
        cast(case
            when abs(left_over) <= tolerance then 0
            when abs(left_over - tip - fees) <= tolerance then tip + fees
            when abs(left_over - tip - current_fees) <= tolerance then tip + current_fees
            when abs(left_over - fees) <= tolerance then fees
            else tip + fees
        end as {{ type_money() }}) as surcharge_amount
    from reading
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
    surcharge_amount,
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
from surcharged
