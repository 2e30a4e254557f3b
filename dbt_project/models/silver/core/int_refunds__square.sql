{{ config(unique_key='source_order_id', meta={'bound_by': 'ordered_at'}) }}
{#-
  What Square's orders take back, a row for each sale that the goods came from, with the sale as its order; money given back
  without goods comes as a return of a custom amount. An order that only lists refunds, as older ones do, has a row for each.
  Tips and the rounding of cash are left out, as in the sale. An order that takes nothing back has a row of nulls.
-#}

with touched as (
    {{ square_touched_orders() | indent(4) }}
),

fresh as (
    {{ square_touched(ref('stg_square__orders')) | indent(4) }}
),

fresh_returns as (
    {{ square_touched(ref('stg_square__returns')) | indent(4) }}
),

fresh_return_lines as (
    {{ square_touched(ref('stg_square__return_lines')) | indent(4) }}
),

lines as (
    select
        refund_id,
        sum(total_amount) as total_amount,
        sum(tax_amount) as tax_amount,
        max(case when item_type = 'item' and variation_id is not null then 1 else 0 end) as has_goods
    from fresh_return_lines
    group by refund_id
),

returns as (
    select
        fresh_returns.order_id as source_order_id,
        fresh_returns.refund_id,
        fresh_returns.sale_order_id,
        min(coalesce(fresh_returns.closed_at, fresh_returns.created_at)) as refunded_at,
        min(fresh_returns.currency) as currency,
        cast(max(coalesce(lines.total_amount, 0)) + sum(fresh_returns.charge_amount) as {{ type_money() }})
            as refund_amount,
        cast(max(coalesce(lines.tax_amount, 0)) + sum(fresh_returns.charge_tax_amount) as {{ type_money() }})
            as refund_tax_amount,
        cast(sum(fresh_returns.charge_amount - fresh_returns.charge_tax_amount) as {{ type_money() }})
            as refund_shipping_amount,
        max(coalesce(lines.has_goods, 0)) as has_goods
    from fresh_returns
    left join lines on lines.refund_id = fresh_returns.refund_id
    group by fresh_returns.order_id, fresh_returns.refund_id, fresh_returns.sale_order_id
),

listed as (
    select refunds.*
    from {{ ref('stg_square__order_refunds') }} as refunds
    where refunds.built_at > {{ watermark() }}
        and coalesce(refunds.status, '') not in ('rejected', 'failed')
        and not exists (select 1 from returns where returns.source_order_id = refunds.order_id)
),

given_back as (
    select source_order_id, refund_id, sale_order_id, refunded_at, currency, refund_amount, refund_tax_amount,
        refund_shipping_amount, has_goods
    from returns
    union all
    select order_id as source_order_id, refund_id, sale_order_id, created_at as refunded_at, currency, refund_amount,
        {{ zero_money() }} as refund_tax_amount, {{ zero_money() }} as refund_shipping_amount, 0 as has_goods
    from listed
)

select
    'pos' as channel,
    given_back.refund_id,
    given_back.sale_order_id as order_id,
    fresh.order_id as source_order_id,
    given_back.refunded_at,
    given_back.currency,
    given_back.refund_amount,
    given_back.refund_tax_amount,
    given_back.refund_shipping_amount,
    {{ flag('given_back.has_goods = 1') }} as is_restocked,
    fresh.created_at as ordered_at,
    {{ built_at() }} as built_at
from fresh
left join given_back on given_back.source_order_id = fresh.order_id and coalesce(fresh.state, '') in ('completed', 'open')
