{# Days whose figures of int_kpis__finance have to be computed anew. #}
{% macro gold_touched_finance_kpi_days() -%}
{%- set sales = ref('agg_daily_sales') -%}
{%- set fees = ref('agg_daily_fees') -%}
{%- set categories = ref('agg_daily_category_sales') -%}
{{ gold_rebuilt_days([sales, fees, categories]) }}
union
{{ gold_vanished_kpi_days('net_revenue', sales) }}
union
select known.business_date
from {{ this }} as known
left join {{ categories }} as sales
    on sales.business_date = known.business_date
    and sales.channel = known.channel
    and sales.category = known.category
where known.channel <> 'all' and known.category <> 'all' and sales.channel is null
union
select known.business_date
from {{ this }} as known
left join {{ sales }} as sales on sales.business_date = known.business_date and sales.channel = known.channel
left join {{ fees }} as fees on fees.business_date = known.business_date and fees.channel = known.channel
where
    known.kpi = 'contribution_margin' and known.channel <> 'all' and known.category = 'all'
    and sales.channel is null and fees.channel is null
    -- A day of nothing but advertising stays as it is.
    and not exists (
        select 1
        from {{ ref('fct_ad_spend') }} as spend
        where known.channel = 'shopify' and spend.business_date = known.business_date and spend.spend_base <> 0
    )
union
{{ gold_changed_kpi_days(
    'payout_difference', ref('rpt_payout_reconciliation'), gold_sum('reported.difference_base')) }}
union
{{ gold_changed_kpi_days('ad_spend', finance_kpi_ad_spend(), gold_sum('reported.spend_base')) }}
union
{{ gold_changed_kpi_days('fx_gain_loss', ref('rpt_fx_results'), gold_sum('reported.gain_base')) }}
{%- endmacro %}


{# What advertising platforms cost the web shop, on days that cost something: what the figures count and are compared with. #}
{% macro finance_kpi_ad_spend() -%}
(
    select spend.business_date, 'shopify' as channel, spend.spend_base
    from {{ ref('fct_ad_spend') }} as spend
    where spend.spend_base <> 0
)
{%- endmacro %}
