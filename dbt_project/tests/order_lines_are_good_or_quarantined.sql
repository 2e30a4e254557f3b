{#-
  Good + quarantined = input, for lines: every staged line of a sale is in silver.order_lines or
  quarantine.silver_order_lines, every return line of the till in silver.refund_lines or there.
-#}
{{ config(meta={'dagster': {'ref': {'name': 'order_lines'}}}) }}

with known as (
    select channel, order_id, line_id from {{ ref('order_lines') }}
    union
    select channel, source_order_id as order_id, refund_line_id as line_id
    from {{ ref('refund_lines') }}
    where channel = 'pos'
    union
    select channel, order_id, line_id from {{ ref('silver_order_lines') }}
),

staged as (
    select channel, order_id, line_id
    from {{ ref('int_order_lines__shopify') }}
    where {{ built_last(ref('int_order_lines__shopify')) }}
    union
    select channel, order_id, line_id
    from {{ ref('int_order_lines__etsy') }}
    where {{ built_last(ref('int_order_lines__etsy')) }}
    union
    select channel, order_id, line_id
    from {{ ref('int_order_lines__pos') }}
    where {{ built_last(ref('int_order_lines__pos')) }}
    union
    select channel, order_id, line_id
    from {{ ref('int_order_lines__ebay') }}
    where {{ built_last(ref('int_order_lines__ebay')) }}
    union
    select channel, order_id, line_id
    from {{ ref('int_order_lines__square') }}
    where {{ built_last(ref('int_order_lines__square')) }}
    union
    select 'pos' as channel, order_id, refund_line_id as line_id
    from {{ ref('stg_square__return_lines') }}
    where state in ('completed', 'open') and {{ built_last(ref('stg_square__return_lines')) }}
    union
    select lines.channel, lines.order_id, lines.line_id
    from {{ ref('int_order_lines__exports') }} as lines
    where {{ built_last(ref('int_order_lines__exports')) }} and {{ unknown_to_api('lines') }}
)

select staged.channel, staged.order_id, staged.line_id
from staged
where not exists (
    select 1
    from known
    where known.channel = staged.channel
        and known.order_id = staged.order_id
        and coalesce(known.line_id, '') = coalesce(staged.line_id, '')
)
