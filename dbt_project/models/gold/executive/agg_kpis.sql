{%- set touched = gold_touched_kpi_days('=') -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_kpi_days('='), ['business_date']]]) }}"
) }}

{# The marts compute the figures; here they stand together. #}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}kpis as (
    {{ gold_kpis('=') }}
)

select
    kpis.business_date,
    kpis.channel,
    kpis.kpi,
    kpis.value,
    {{ built_at() }} as built_at
from kpis
