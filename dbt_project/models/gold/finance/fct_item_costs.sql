{%- set touched = gold_touched_item_costs() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_item_costs(), ['item_id']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}costs as (
    select
        item_costs.item_id,
        item_costs.seq,
        item_costs.kind,
        item_costs.cost_date,
        item_costs.currency,
        item_costs.cost_amount,
        {{ gold_fx_rate('item_costs.currency', 'fx') }} as fx_rate,
        {{ gold_fx_rate_date('item_costs.currency', 'item_costs.cost_date', 'fx') }} as fx_rate_date
    from {{ ref('item_costs') }} as item_costs
    {% if is_incremental() %}
    inner join touched on touched.item_id = item_costs.item_id
    {% endif %}
    left join {{ ref('fx_daily') }} as fx
        on fx.currency = item_costs.currency and fx.rate_date = item_costs.cost_date
)

select
    item_id,
    seq,
    kind,
    cost_date,
    currency,
    fx_rate,
    fx_rate_date,
    cost_amount,
    {{ gold_base('cost_amount', 'fx_rate') }} as cost_base,
    {{ built_at() }} as built_at
from costs
