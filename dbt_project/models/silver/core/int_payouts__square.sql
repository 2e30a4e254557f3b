{{ config(unique_key='payout_id', meta={'bound_by': 'issued_at'}) }}
{#-
  Square's payouts. A payout states what reached the bank; what came in before fees is the sum of its entries, of which those
  that are costs by themselves lessen the net amount alone.
-#}
{%- set payouts = ref('stg_square__payouts') -%}
{%- set entries = ref('stg_square__payout_entries') -%}

with touched as (
    select payout_id
    from {{ payouts }}
    where built_at > {{ watermark() }}
    union
    select payout_id
    from {{ entries }}
    where built_at > {{ watermark() }}
),

sums as (
    select
        entries.payout_id,
        sum(case
            when entries.entry_type in ('{{ square_charge_types() | join("', '") }}') then 0
            else {{ from_minor('entries.gross_minor', 'entries.currency') }}
        end) as gross_amount
    from {{ entries }} as entries
    inner join touched on touched.payout_id = entries.payout_id
    {%- if is_incremental() %}
    where entries.effective_at >= {{ earliest_square_entry(60) }}
    {%- endif %}
    group by entries.payout_id
)

select
    payouts.payout_id,
    'pos' as channel,
    payouts.created_at as issued_at,
    {{ business_date('payouts.created_at') }} as business_date,
    case payouts.status when 'sent' then 'in_transit' else payouts.status end as status,
    payouts.currency,
    cast(coalesce(sums.gross_amount, {{ from_minor('payouts.amount_minor', 'payouts.currency') }}) as {{ type_money() }})
        as gross_amount,
    {{ from_minor('payouts.amount_minor', 'payouts.currency') }} as net_amount,
    {{ built_at() }} as built_at
from {{ payouts }} as payouts
inner join touched on touched.payout_id = payouts.payout_id
left join sums on sums.payout_id = payouts.payout_id
{%- if is_incremental() %}
where payouts.created_at >= {{ earliest_square_entry(0) }}
{%- endif %}
