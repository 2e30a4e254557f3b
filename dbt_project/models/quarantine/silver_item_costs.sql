{#- Costs of pieces that break a rule, as their catalogues tell them; the last good one stays in silver. -#}

select
    catalogue.source_table,
    catalogue.item_id,
    catalogue.acquired_date,
    catalogue.cost_currency,
    catalogue.cost_amount,
    catalogue.record_id,
    {{ item_cost_rejections('catalogue') }} as reject_reason,
    catalogue.built_at
from {{ ref('int_catalogue') }} as catalogue
where catalogue.cost_amount is not null
    and {{ item_cost_rejections('catalogue') }} is not null
