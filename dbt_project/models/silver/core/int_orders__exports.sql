{{ config(unique_key=['channel', 'order_id'], meta={'bound_by': 'bound_at'}) }}
{#-
  Every order of the export files in the conformed form, with the reasons that keep it out of silver.orders.

  The files do not say whether prices include tax, nor whether the order's discount contains the lines' discounts: of the
  possible readings the one that gives the order's own total is taken. On Etsy and eBay a total that adds up without the
  tax means that the marketplace collected it: it is no money of ours and counts as 0.
-#}
{%- set fresh = 'built_at > ' ~ watermark() -%}
{%- set discounts = ['order_discount', 'line_discount', 'order_discount + line_discount'] -%}
{%- set untaxed -%} abs(goods_amount - ({}) + shipping - stated_total) <= tolerance {%- endset -%}
{%- set taxed -%} abs(goods_amount - ({}) + shipping + tax - stated_total) <= tolerance {%- endset -%}

with export_rows as (
    select exported.*
    from {{ ref('int_export_rows') }} as exported
    {%- if is_incremental() %}
    where {{ not_before('exported.ordered_at', earliest(ref('int_export_rows'), 'ordered_at', fresh, slack_days=7)) }}
        and exists (
            select 1
            from {{ ref('int_export_rows') }} as touched
            where touched.{{ fresh }} and touched.channel = exported.channel and touched.order_id = exported.order_id
        )
    {%- endif %}
),

orders as (
    select
        channel,
        source_table,
        order_id,
        max(order_name) as order_name,
        max(person_id) as person_id,
        min(ordered_at) as ordered_at,
        min(paid_at) as paid_at,
        max(shipped_at) as shipped_at,
        max(cancelled_at) as cancelled_at,
        replace(max(status), ' ', '_') as status,
        max(currency) as currency,
        max(ship_country) as ship_country,
        max(ship_postcode_area) as ship_postcode_area,
        max(payment_method) as payment_method,
        max(tracking_number) as tracking_number,
        max(source_updated_at) as source_updated_at,
        max(version_at) as version_at,
        max(record_id) as record_id,
        sum(is_line) as line_count,
        min(case when is_line = 1 then coalesce(quantity, -1) end) as lowest_quantity,
        cast(coalesce(sum(goods_amount), 0) as {{ type_money() }}) as goods_amount,
        count(*) - count(goods_amount) as lines_without_amount,
        cast(coalesce(sum(line_discount), 0) as {{ type_money() }}) as line_discount,
        coalesce(max(order_discount), {{ zero_money() }}) as order_discount,
        coalesce(max(order_shipping), {{ zero_money() }}) as shipping,
        coalesce(max(order_tax), {{ zero_money() }}) as tax,
        max(order_total) as stated_total,
        coalesce(max(order_refunded), {{ zero_money() }}) as refunded_amount,
        0.01 * (case when sum(is_line) > 1 then sum(is_line) else 1 end) as tolerance
    from export_rows
    group by channel, source_table, order_id
),

reading as (
    select
        orders.*,
        case
            when stated_total is null then order_discount
            {%- for discount in discounts %}
            when {{ taxed.replace('{}', discount) }} then {{ discount }}
            when {{ untaxed.replace('{}', discount) }} then {{ discount }}
            {%- endfor %}
            else order_discount
        end as discount,
        case
            when stated_total is null then 'added'
            {%- for discount in discounts %}
            when {{ taxed.replace('{}', discount) }} then 'added'
            when {{ untaxed.replace('{}', discount) }} then 'included'
            {%- endfor %}
            else 'added'
        end as tax_reading
    from orders
),

taxed as (
    select
        reading.*,
        case
            when tax_reading = 'added' then tax
            when channel = 'shopify' then tax
            else {{ zero_money() }}
        end as own_tax,
        -- Tax that prices include is part of goods and shipping alike, in proportion to what was paid for them.
        case
            when tax_reading = 'included' and channel = 'shopify' and goods_amount - discount + shipping > 0
                then coalesce({{ quotient(product('tax', 'shipping'), 'goods_amount - discount + shipping') }}, 0)
            else 0
        end as included_shipping_tax,
        case when tax_reading = 'included' and channel = 'shopify' then tax else {{ zero_money() }} end as included_tax
    from reading
),

conformed as (
    select
        taxed.*,
        cast(goods_amount - included_tax + included_shipping_tax as {{ type_money() }}) as gross_amount,
        cast(discount as {{ type_money() }}) as discount_amount,
        cast(shipping - included_shipping_tax as {{ type_money() }}) as shipping_amount,
        cast(own_tax as {{ type_money() }}) as tax_amount,
        {{ zero_money() }} as surcharge_amount,
        cast(coalesce(stated_total, goods_amount - discount + shipping + own_tax) as {{ type_money() }}) as total_amount,
        case
            when status in ('refunded', 'fully_refunded') then 'refunded'
            when status in ('pending', 'authorized', 'paid', 'partially_paid', 'partially_refunded', 'voided', 'expired')
                then status
            when status in ('canceled', 'cancelled') then 'voided'
            when paid_at is not null or (channel = 'etsy' and (status is null or status = 'completed')) then 'paid'
            when status is null or status in ('payment_processing', 'open', 'unpaid') then 'pending'
            else status
        end as payment_status
    from taxed
)

select
    channel,
    source_table,
    order_id,
    coalesce(order_name, order_id) as order_name,
    person_id,
    ordered_at,
    {{ business_date('ordered_at') }} as business_date,
    case
        when cancelled_at is not null or payment_status = 'voided' then 'cancelled'
        when payment_status in ('refunded', 'partially_refunded') then payment_status
        when shipped_at is not null then 'completed'
        else 'open'
    end as status,
    payment_status,
    case when shipped_at is not null then 'fulfilled' else 'unfulfilled' end as fulfilment_status,
    {{ flag_literal(false) }} as is_test,
    {{ flag("payment_status in ('paid', 'partially_refunded', 'refunded')") }} as is_paid,
    paid_at,
    shipped_at,
    cancelled_at,
    currency,
    line_count,
    gross_amount,
    discount_amount,
    shipping_amount,
    tax_amount,
    surcharge_amount,
    total_amount,
    goods_amount,
    cast(line_discount as {{ type_money() }}) as line_discount_amount,
    cast(own_tax - included_shipping_tax as {{ type_money() }}) as goods_tax_amount,
    {{ flag('included_tax > 0') }} as taxes_included,
    refunded_amount,
    cast(case when channel = 'shopify' then null else 1 end as {{ type_fx_rate() }}) as channel_fx_rate,
    currency as settlement_currency,
    ship_country,
    ship_postcode_area,
    {{ null_text() }} as store_id,
    payment_method,
    tracking_number,
    {{ null_text() }} as customer_locale,
    {{ null_flag() }} as email_consent,
    source_updated_at,
    version_at,
    record_id,
    {{ order_rejections('ordered_at', [['lines_without_amount > 0', 'line without a price']]) }} as reject_reason,
    coalesce(ordered_at, version_at) as bound_at,
    {{ built_at() }} as built_at
from conformed
