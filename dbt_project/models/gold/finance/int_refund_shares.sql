{%- set touched = gold_touched_refund_shares() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_refund_shares(), ['channel', 'order_key']]]) }}"
) }}

{#
  Which piece a refund is for: the pieces that its lines name, by what was given back for each; where it names none, all
  pieces of the order, by what was paid for each.
#}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}refunds as (
    select
        refunds.channel,
        refunds.refund_id,
        refunds.order_key,
        refunds.order_id,
        refunds.business_date,
        refunds.is_counted,
        refunds.refund_ex_tax_base
    from {{ ref('fct_refunds') }} as refunds
    {{- gold_only_touched('refunds', ['channel', 'order_key']) }}
),

named as (
    select
        refunds.channel,
        refunds.refund_id,
        refund_lines.refund_line_id as part_id,
        refund_lines.line_id,
        refund_lines.item_id,
        refund_lines.refund_amount as part_amount
    from refunds
    inner join {{ ref('refund_lines') }} as refund_lines
        on refund_lines.channel = refunds.channel and refund_lines.refund_id = refunds.refund_id
),

parts as (
    select named.*
    from named
    union all
    select
        refunds.channel,
        refunds.refund_id,
        lines.line_id as part_id,
        lines.line_id,
        lines.item_id,
        cast(lines.gross_amount - lines.discount_amount as {{ type_money() }}) as part_amount
    from refunds
    inner join {{ ref('fct_order_lines') }} as lines
        on lines.channel = refunds.channel and lines.order_id = refunds.order_id
    where not exists (
        select 1
        from named
        where named.channel = refunds.channel and named.refund_id = refunds.refund_id
    )
),

placed as (
    select
        refunds.channel,
        refunds.refund_id,
        refunds.order_key,
        refunds.business_date,
        refunds.is_counted,
        refunds.refund_ex_tax_base,
        parts.line_id,
        parts.item_id,
        coalesce(parts.part_id, '') as part_id,
        coalesce(parts.part_amount, 0) as part_amount
    from refunds
    left join parts on parts.channel = refunds.channel and parts.refund_id = refunds.refund_id
),

running as (
    select
        placed.*,
        row_number() over (partition by placed.channel, placed.refund_id order by placed.part_id) as place,
        cast(sum(placed.part_amount) over (partition by placed.channel, placed.refund_id) as {{ type_money() }}) as total,
        cast(sum(placed.part_amount) over (
            partition by placed.channel, placed.refund_id order by placed.part_id rows unbounded preceding
        ) as {{ type_money() }}) as so_far
    from placed
)

select
    running.channel,
    running.refund_id,
    running.order_key,
    running.part_id,
    running.line_id,
    running.item_id,
    running.business_date,
    running.is_counted,
    {{ gold_share('running.refund_ex_tax_base', 'running.part_amount', 'running.so_far', 'running.total', 'running.place') }}
        as refund_base,
    {{ built_at() }} as built_at
from running
