{%- set touched = gold_touched_weeks() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_weeks(), ['week_start_date']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}sold as (
    select
        days.week_start_date,
        coalesce(items.category, 'unknown') as category,
        lines.channel,
        {{ price_band('lines.price_base') }} as price_band,
        lines.quantity,
        lines.gross_base - lines.discount_base as sale_base
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ ref('dim_date') }} as days on days.calendar_date = lines.business_date
    {{- gold_only_touched('days', ['week_start_date']) }}
    left join {{ ref('dim_item') }} as items on items.item_id = lines.item_id
    where {{ is_true('lines.is_sale') }}
        and lines.price_base is not null
        and lines.business_date >= {{ first_touched_week() }}
)

select
    sold.week_start_date,
    cast(sold.category as {{ type_text(100) }}) as category,
    cast(sold.price_band as {{ type_text(20) }}) as price_band,
    sold.channel,
    cast(sum(sold.quantity) as int) as units,
    {{ gold_sum('sold.sale_base') }} as sale_base,
    {{ built_at() }} as built_at
from sold
group by sold.week_start_date, sold.category, sold.price_band, sold.channel
