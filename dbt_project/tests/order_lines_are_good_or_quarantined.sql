{#-
  Good + quarantined = input, for lines: every staged line of a sale is in silver.order_lines or
  quarantine.silver_order_lines, every return line of the till in silver.refund_lines or there. They are looked for from a
  week before the first of the staged lines on.
-#}
{{ config(meta={'dagster': {'ref': {'name': 'order_lines'}}}) }}
{%- set staged = [] -%}
{%- for channel in ['shopify', 'etsy', 'pos', 'ebay', 'square', 'exports'] -%}
  {%- do staged.append([ref('int_order_lines__' ~ channel), 'channel', 'line_id', 'ordered_at']) -%}
{%- endfor -%}
{%- do staged.append([ref('stg_square__return_lines'), "'pos'", 'refund_line_id', 'created_at']) -%}
{%- set firsts = [] -%}
{%- for relation, channel, line, time in staged -%}
  {%- set first = extreme('min', time, relation, built_last(relation), slack_days=7) -%}
  {%- if first -%} {%- do firsts.append(first) -%} {%- endif -%}
{%- endfor -%}
{%- set lowest = time_literal(firsts | min if firsts else '1900-01-01 00:00:00.000000') %}

with staged as (
    {%- for relation, channel, line, time in staged %}
    select {{ channel }} as channel, lines.order_id, lines.{{ line }} as line_id
    from {{ relation }} as lines
    where lines.{{ built_last(relation) }}
    {%- if relation.identifier == 'int_order_lines__exports' %}
        and {{ unknown_to_api('lines') }}
    {%- elif relation.identifier == 'stg_square__return_lines' %}
        and lines.state in ('completed', 'open')
    {%- endif %}
    {{ 'union' if not loop.last }}
    {%- endfor %}
)

select staged.channel, staged.order_id, staged.line_id
from staged
where
    {%- for relation, order, line in [
        [ref('order_lines'), 'order_id', 'line_id'],
        [ref('refund_lines'), 'source_order_id', 'refund_line_id'],
        [ref('silver_order_lines'), 'order_id', 'line_id'],
    ] %}
    not exists (
        select 1
        from {{ relation }} as known
        where
            known.channel = staged.channel
            and known.{{ order }} = staged.order_id
            and coalesce(known.{{ line }}, '') = coalesce(staged.line_id, '')
            and {{ not_before('known.ordered_at', lowest) }}
            {%- if relation.identifier == 'refund_lines' %}
            and known.channel = 'pos'
            {%- endif %}
    )
    {{- ' and' if not loop.last }}
    {%- endfor %}
