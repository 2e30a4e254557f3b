{#- Fees that break a rule, with the reasons. -#}

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
    reject_reason,
    built_at
from {{ ref('int_fees') }}
where reject_reason is not null
    and {{ is_false('is_superseded') }}
