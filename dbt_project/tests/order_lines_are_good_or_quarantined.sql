{#-
  Good + quarantined = input, for lines: every staged line of a sale is in silver.order_lines or
  quarantine.silver_order_lines, every return line of the till in silver.refund_lines or there. They are looked for from a
  week before the first of the staged lines on.
-#}
{{ config(meta={'dagster': {'ref': {'name': 'order_lines'}}}) }}
{%- set staged = [] -%}
{%- for channel in ['shopify', 'etsy', 'pos', 'ebay', 'square'] -%}
  {%- do staged.append([ref('int_order_lines__' ~ channel), 'channel', 'line_id', 'ordered_at', '1 = 1']) -%}
{%- endfor -%}
{%- do staged.extend([
    [ref('int_order_lines__exports'), 'channel', 'line_id', 'ordered_at', unknown_to_api('lines')],
    [ref('stg_square__return_lines'), "'pos'", 'refund_line_id', 'created_at', "lines.state in ('completed', 'open')"],
]) -%}
{%- set firsts = [] -%}
{%- for relation, channel, line, time, condition in staged -%}
  {%- set first = extreme('min', time, relation, built_last(relation), slack_days=7) -%}
  {%- if first -%} {%- do firsts.append(first) -%} {%- endif -%}
{%- endfor -%}
{%- set lowest = time_literal(firsts | min if firsts else '1900-01-01 00:00:00.000000') %}

with staged as (
    {%- for relation, channel, line, time, condition in staged %}
    select {{ channel }} as channel, lines.order_id, lines.{{ line }} as line_id
    from {{ relation }} as lines
    where lines.{{ built_last(relation) }} and {{ condition }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

known as (
    {%- for relation, order, line, condition in [
        [ref('order_lines'), 'order_id', 'line_id', '1 = 1'],
        [ref('refund_lines'), 'source_order_id', 'refund_line_id', "found.channel = 'pos'"],
        [ref('silver_order_lines'), 'order_id', 'line_id', '1 = 1'],
    ] %}
    select found.channel, found.{{ order }} as order_id, found.{{ line }} as line_id
    from {{ relation }} as found
    where {{ not_before('found.ordered_at', lowest) }} and {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
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
