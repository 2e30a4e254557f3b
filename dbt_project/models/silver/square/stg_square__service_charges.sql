{{ config(materialized='view') }}

with exploded as (
    {{ explode(
        ref('stg_square__orders'), 'service_charges',
        ['order_id', 'created_at', 'currency', 'built_at'],
        square_service_charge_fields()
    ) | indent(4) }}
)

select
    order_id,
    treatment_type,
    currency,
    {{ from_minor('total_minor', 'currency') }} as total_amount,
    {{ from_minor('coalesce(tax_minor, 0)', 'currency') }} as tax_amount,
    created_at,
    built_at
from exploded
