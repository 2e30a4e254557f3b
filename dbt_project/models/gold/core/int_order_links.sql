{{ config(materialized='incremental', incremental_strategy='append') }}

{#
  The memory behind the aggregates: when an order changes its day, its person or its items, the day (person, item)
  it moved away from has to be rebuilt too, and only a table that never forgets still knows it. Rows are added,
  never changed: one or more for each combination ever seen, as to look for equal ones among millions costs more than to
  read them. They are read where the facts have them from, so that neither waits for the other.
#}
with links as (
    select
        orders.channel,
        orders.order_id as order_key,
        orders.business_date,
        orders.person_id,
        lines.item_id
    from {{ ref('orders') }} as orders
    left join {{ ref('order_lines') }} as lines
        on lines.channel = orders.channel and lines.order_id = orders.order_id
    where orders.built_at > {{ watermark() }}
    union all
    select
        refunds.channel,
        refunds.order_key,
        refunds.business_date,
        cast(null as {{ type_text(64) }}) as person_id,
        cast(null as {{ type_text(100) }}) as item_id
    from {{ ref('fct_refunds') }} as refunds
    where refunds.built_at > {{ watermark() }}
)

select
    links.channel,
    links.order_key,
    links.business_date,
    links.person_id,
    links.item_id,
    {{ built_at() }} as built_at
from links
{% if is_incremental() %}
where not exists (
    select 1
    from {{ this }} as known
    where
        known.channel = links.channel
        and known.order_key = links.order_key
        and known.business_date = links.business_date
        and coalesce(known.person_id, '') = coalesce(links.person_id, '')
        and coalesce(known.item_id, '') = coalesce(links.item_id, '')
)
{% endif %}
