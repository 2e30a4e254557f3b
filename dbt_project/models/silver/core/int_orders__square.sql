{{ config(unique_key='order_id', meta={'bound_by': 'bound_at'}) }}
{#-
  Every sale of Square in the conformed form, with the reasons that keep it out of silver.orders. Square books a return as an
  order of its own: one that sells nothing is no sale, and the sale it takes back stays completed. Drafts are no orders yet.

  The total is what the goods cost and what was charged beside them (service charges: shipping_amount). A tip and the rounding
  of cash are no part of the sale, only of the payment.
-#}

with touched as (
    {{ square_touched_orders() | indent(4) }}
),

fresh as (
    {{ square_touched(ref('stg_square__orders')) | indent(4) }}
),

fresh_lines as (
    {{ square_touched(ref('stg_square__order_lines')) | indent(4) }}
),

fresh_charges as (
    {{ square_touched(ref('stg_square__service_charges')) | indent(4) }}
),

lines as (
    select
        order_id,
        count(*) as line_count,
        min(coalesce(quantity, -1)) as lowest_quantity,
        count(*) - count(total_amount) as lines_without_total,
        cast(sum(total_amount + discount_amount - tax_amount) as {{ type_money() }}) as gross_amount,
        cast(sum(discount_amount) as {{ type_money() }}) as discount_amount,
        cast(sum(tax_amount) as {{ type_money() }}) as tax_amount
    from fresh_lines
    group by order_id
),

charges as (
    -- An apportioned charge is in the totals of the lines.
    select
        order_id,
        cast(sum(total_amount - tax_amount) as {{ type_money() }}) as charge_amount,
        cast(sum(tax_amount) as {{ type_money() }}) as tax_amount
    from fresh_charges
    where coalesce(treatment_type, '') <> 'apportioned_treatment'
    group by order_id
),

amounts as (
    select
        fresh.*,
        coalesce(lines.line_count, 0) as line_count,
        lines.lowest_quantity,
        coalesce(lines.lines_without_total, 0) as lines_without_total,
        coalesce(lines.gross_amount, {{ zero_money() }}) as gross_amount,
        coalesce(lines.discount_amount, {{ zero_money() }}) as discount_amount,
        coalesce(charges.charge_amount, {{ zero_money() }}) as shipping_amount,
        cast(coalesce(lines.tax_amount, 0) + coalesce(charges.tax_amount, 0) as {{ type_money() }}) as tax_amount,
        {{ zero_money() }} as surcharge_amount,
        {{ from_minor('fresh.total_minor', 'fresh.currency') }} as charged_amount,
        {{ from_minor(
            '(fresh.total_minor - coalesce(fresh.tip_minor, 0) - coalesce(fresh.rounding_minor, 0))', 'fresh.currency'
        ) }} as total_amount,
        {{ from_minor(sum_of('fresh.tenders', 'amount_money.amount'), 'fresh.currency') }} as tendered_amount,
        {{ first_of('fresh.tenders', 'type') }} as tender_type,
        {{ first_of('fresh.fulfillments', 'state') }} as fulfillment_state,
        {{ first_of('fresh.fulfillments', 'shipment_details.recipient.address.country') }} as ship_country,
        {{ first_of('fresh.fulfillments', 'shipment_details.recipient.address.postal_code') }} as ship_postcode_area
    from fresh
    left join lines on lines.order_id = fresh.order_id
    left join charges on charges.order_id = fresh.order_id
    where coalesce(fresh.state, '') <> 'draft'
),

orders as (
    select
        amounts.*,
        case
            when state = 'canceled' then 'voided'
            when tendered_amount >= charged_amount and state is not null then 'paid'
            when state = 'completed' then 'paid'
            when tendered_amount > 0 then 'partially_paid'
            else 'pending'
        end as payment_status
    from amounts
    where line_count > 0 or coalesce(charged_amount, 1) <> 0
)

select
    'pos' as channel,
    'square_orders' as source_table,
    order_id,
    coalesce(reference_id, order_id) as order_name,
    person_id,
    created_at as ordered_at,
    {{ business_date('created_at') }} as business_date,
    case state when 'canceled' then 'cancelled' when 'completed' then 'completed' else 'open' end as status,
    payment_status,
    case
        when fulfillment_state is null and state = 'completed' then 'fulfilled'
        when lower(fulfillment_state) = 'completed' then 'fulfilled'
        else 'unfulfilled'
    end as fulfilment_status,
    {{ flag_literal(false) }} as is_test,
    {{ flag("payment_status = 'paid'") }} as is_paid,
    case when state = 'canceled' then coalesce(closed_at, source_updated_at) end as cancelled_at,
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
    ship_country,
    ship_postcode_area,
    location_id as store_id,
    lower(tender_type) as payment_method,
    {{ null_text() }} as customer_locale,
    {{ null_flag() }} as email_consent,
    source_updated_at,
    version_at,
    record_id,
    {{ order_rejections('created_at', [
        ['lines_without_total > 0', 'line without a total'],
    ]) }} as reject_reason,
    coalesce(created_at, version_at) as bound_at,
    {{ built_at() }} as built_at
from orders
