{{ config(materialized='view') }}
{#- The fees that obey the rules and that no better source tells; quarantine.silver_fees has those that break one. -#}

select
    channel,
    fee_id,
    source_entry_id,
    order_id,
    payout_id,
    fee_type,
    charged_at,
    business_date,
    currency,
    fee_amount,
    built_at
from {{ ref('int_fees') }}
where reject_reason is null
    and {{ is_false('is_superseded') }}
