{%- set touched = gold_touched_kpi_days('<>') -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_kpi_days('<>'), ['business_date']]]) }}"
) }}

{# A table of its own, so that whoever sums agg_kpis does not count a sale once for its category and once for all. #}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}kpis as (
    {{ gold_kpis('<>') }}
)

select
    kpis.business_date,
    kpis.channel,
    kpis.category,
    kpis.kpi,
    kpis.value,
    {{ built_at() }} as built_at
from kpis
