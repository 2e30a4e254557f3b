{#- Lines of advertising spend that break a rule. -#}

select
    staged.natural_key,
    staged.spend_date,
    staged.platform,
    staged.campaign,
    staged.currency,
    staged.spend_amount,
    staged.record_id,
    {{ ad_spend_rejections('staged') }} as reject_reason,
    staged.built_at
from {{ ref('stg_ads__spend') }} as staged
where {{ ad_spend_rejections('staged') }} is not null
