{# The shares of a refund add up to it, to the last decimal. #}
{{ config(meta={'dagster': {'ref': {'name': 'int_refund_shares'}}}) }}
select shares.channel, shares.refund_id, sum(shares.refund_base) as shares_base, max(refunds.refund_ex_tax_base) as refund_base
from {{ ref('int_refund_shares') }} as shares
inner join {{ ref('fct_refunds') }} as refunds
    on refunds.channel = shares.channel and refunds.refund_id = shares.refund_id
where shares.built_at >= (select max(built_at) from {{ ref('int_refund_shares') }}) and refunds.refund_ex_tax_base is not null
group by shares.channel, shares.refund_id
having sum(shares.refund_base) <> max(refunds.refund_ex_tax_base)
