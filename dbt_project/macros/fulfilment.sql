{# Rules of sending and arriving. #}

{# Orders whose way to the buyer has to be told anew: the order, a parcel of it or its promise was. #}
{% macro gold_touched_order_fulfilments() -%}
{%- set since = watermark() -%}
select orders.channel, orders.order_id
from {{ ref('fct_orders') }} as orders
where orders.built_at > {{ since }}
union
select shipments.channel, shipments.order_id
from {{ ref('shipments') }} as shipments
where shipments.built_at > {{ since }}
union
select promises.channel, promises.order_id
from {{ ref('ship_promises') }} as promises
where promises.built_at > {{ since }}
{%- endmacro %}

{#
  Up to when the business is known: the time of the newest order on any channel. Clocks are read at it rather than at the
  build's own time, so that what was not heard of is not held to be late.
#}
{% macro known_until() -%}
select max(newest.ordered_at) as as_of_at from {{ ref('fct_orders') }} as newest
{%- endmacro %}

{# The value at the smallest place of `ranked` (ordered by value, with `place` and `places`) that at least `share` % reach. #}
{% macro percentile(value, share) -%}
min(case when 100 * ranked.place >= {{ share }} * ranked.places then {{ value }} end)
{%- endmacro %}

{#
  Days on which the calling model's figure `kpi` is another than `value` of the table's rows, which are one a day and channel
  (`all` too) where `where` holds. For tables that are made anew: comparing costs one row a day and channel.
#}
{% macro gold_differing_kpi_days(kpi, table, value, where) -%}
select coalesce(fresh.business_date, known.business_date) as business_date
from (
    select reported.business_date, reported.channel, reported.{{ value }} as value
    from {{ table }} as reported
    where {{ where }}
) as fresh
full outer join (
    select known.business_date, known.channel, known.value
    from {{ this }} as known
    where known.kpi = '{{ kpi }}'
) as known on known.business_date = fresh.business_date and known.channel = fresh.channel
where fresh.channel is null or known.channel is null or known.value <> fresh.value
{%- endmacro %}
