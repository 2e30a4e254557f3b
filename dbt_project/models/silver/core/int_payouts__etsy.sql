{{ config(unique_key='payout_id', meta={'bound_by': 'issued_at'}) }}
{#-
  Disbursements of Etsy's payment account, each with the entries that went into it. Etsy pays out what is available, not
  the whole balance: what a payout found and what it left make up the difference.
-#}

with touched as (
    select distinct payout_id
    from {{ ref('int_etsy__ledger') }}
    where built_at > {{ watermark() }} and payout_id is not null
),

entries as (
    select
        entries.*,
        row_number() over (partition by entries.payout_id order by entries.sequence_number) as entry_rank
    from {{ ref('int_etsy__ledger') }} as entries
    inner join touched on touched.payout_id = entries.payout_id
    {%- if is_incremental() %}
    where entries.created_at >= {{ earliest(
        ref('int_etsy__ledger'), 'created_at', 'built_at > ' ~ watermark(), slack_days=45
    ) }}
    {%- endif %}
),

summed as (
    select
        payout_id,
        max(case when entry_id = payout_id then created_at end) as issued_at,
        max(case when entry_id = payout_id then currency end) as currency,
        cast(max(case when entry_id = payout_id then -amount end) as {{ type_money() }}) as net_amount,
        cast(max(case when entry_id = payout_id then balance end) as {{ type_money() }}) as closing_amount,
        cast(max(case when entry_rank = 1 then balance - amount end) as {{ type_money() }}) as opening_amount,
        cast(sum(case when entry_kind in ('fee', 'suspense') then -amount else 0 end) as {{ type_money() }})
            as fee_amount
    from entries
    group by payout_id
)

select
    'etsy' as channel,
    payout_id,
    issued_at,
    {{ business_date('issued_at') }} as business_date,
    'paid' as status,
    currency,
    cast(net_amount + fee_amount as {{ type_money() }}) as gross_amount,
    net_amount,
    opening_amount,
    closing_amount,
    {{ built_at() }} as built_at
from summed
