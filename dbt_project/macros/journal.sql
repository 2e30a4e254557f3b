{# What a ledger entry is, by the channel's own word for it. Whatever is no sale, refund, tax or transfer is a cost. #}
{% macro ledger_line_kind(transaction_type) -%}
case
    when {{ transaction_type }} in ('charge', 'sale') then 'charge'
    when {{ transaction_type }} in ('refund', 'refund_gross') then 'refund'
    when {{ transaction_type }} like 'sales_tax%' then 'facilitator_tax'
    when {{ transaction_type }} like 'reserve%' then 'reserve'
    when {{ transaction_type }} = 'balance_transfer' then 'debt'
    when {{ transaction_type }} in ('adjustment', 'credit', 'dispute', 'chargeback', 'chargeback_reversal')
        or {{ transaction_type }} like 'dispute%' then 'adjustment'
    else 'cost'
end
{%- endmacro %}

{# Whether a ledger entry is the payout itself or a balance that was brought or carried forward: not a part of a journal. #}
{% macro is_between_payouts(transaction_type) -%}
({{ transaction_type }} like 'transfer%' or {{ transaction_type }} like 'balance_brought%'
or {{ transaction_type }} like 'balance_carried%')
{%- endmacro %}

{#
  One event of the journal as two postings, so that it balances whatever its amount: `amount` is debited to `debit` and
  credited to `credit` (a negative amount the other way round). The accounts are SQL.
#}
{% macro journal_event(rows, event, debit, credit, amount, where) -%}
{%- for account, sign in [[debit, ''], [credit, '-']] %}
    select
        {{ rows }}.channel,
        {{ rows }}.payout_id,
        {{ rows }}.period_month,
        '{{ event }}' as event,
        {{ account }} as account,
        {{ sign }}({{ amount }}) as amount_base
    from {{ rows }}
    where {{ where }}
    {{ "union all" if not loop.last }}
{%- endfor %}
{%- endmacro %}

{# Payouts whose journal has to be written anew: a line of theirs changed, or an order that a line is about. #}
{% macro gold_touched_journals() -%}
{{ gold_touched_payouts() }}
union
select payout_lines.channel, payout_lines.payout_id
from {{ ref('payout_lines') }} as payout_lines
inner join {{ ref('fct_orders') }} as orders
    on orders.channel = payout_lines.channel and orders.order_id = payout_lines.order_id
where orders.built_at > {{ watermark() }} and payout_lines.payout_id is not null
union
select payout_lines.channel, payout_lines.payout_id
from {{ ref('payout_lines') }} as payout_lines
inner join {{ ref('fct_fees') }} as fees
    on fees.channel = payout_lines.channel and fees.order_id = payout_lines.order_id
where fees.built_at > {{ watermark() }} and payout_lines.payout_id is not null
union
select payout_lines.channel, payout_lines.payout_id
from {{ ref('payout_lines') }} as payout_lines
inner join {{ ref('rpt_vat_stock_book') }} as book
    on book.sale_channel = payout_lines.channel and book.sale_order_id = payout_lines.order_id
where book.built_at > {{ watermark() }} and payout_lines.payout_id is not null
union
select payout_lines.channel, payout_lines.payout_id
from {{ ref('payout_lines') }} as payout_lines
inner join {{ ref('fx_daily') }} as fx
    on fx.currency = payout_lines.currency and fx.rate_date = {{ business_date('payout_lines.transacted_at') }}
where fx.built_at > {{ watermark() }} and payout_lines.payout_id is not null
{%- endmacro %}

{# Orders of which the order, a refund, a ledger entry or the rate of such an entry's day changed. #}
{% macro gold_touched_fx_results() -%}
select rebuilt.channel, rebuilt.order_key as order_id
from (
    {{ gold_rebuilt_orders() }}
) as rebuilt
union
select payout_lines.channel, payout_lines.order_id
from {{ ref('payout_lines') }} as payout_lines
where payout_lines.built_at > {{ watermark() }} and payout_lines.order_id is not null
union
select payout_lines.channel, payout_lines.order_id
from {{ ref('payout_lines') }} as payout_lines
inner join {{ ref('fx_daily') }} as fx
    on fx.currency = payout_lines.currency and fx.rate_date = {{ business_date('payout_lines.transacted_at') }}
where fx.built_at > {{ watermark() }} and payout_lines.order_id is not null
{%- endmacro %}
