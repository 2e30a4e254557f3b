{#- A payout equals the sum of its ledger entries, the transfer to the bank left out: domain rule 9. -#}
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'payouts'}}}) }}

select
    payouts.channel,
    payouts.payout_id,
    payouts.net_amount,
    sum(lines.net_amount) as entries_net_amount
from {{ ref('payouts') }} as payouts
inner join {{ ref('payout_lines') }} as lines
    on lines.channel = payouts.channel and lines.payout_id = payouts.payout_id
where payouts.{{ built_last(ref('payouts')) }}
    and lines.transaction_type not like 'transfer%'
group by payouts.channel, payouts.payout_id, payouts.net_amount
having abs(payouts.net_amount - sum(lines.net_amount)) > 0.005
