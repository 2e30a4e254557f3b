{%- set range = gold_touched_range(365) -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget_range(365) }}"
) }}

{#
  Customers of the 365 days that end on each day. One sale keeps a person a customer for 365 days, or until the next
  sale takes over; two sales keep the person a repeat customer from the second one until 365 days after the first, or
  until the next sale. Summing those beginnings and ends by day costs one pass over the window.

  An increment goes on from the last day before the touched ones, which still holds: it looks at those alone who bought
  since, or a year before, and takes the beginnings and ends of later days.
#}
{%- set first, until = range['first'], range['until'] -%}
{%- set lowest = date_literal((extreme(
    'min', 'base_date',
    '(select max(known.business_date) as base_date from ' ~ this ~ ' as known where known.business_date < ' ~ first
    ~ ' and known.business_date > ' ~ add_days(first, -365) ~ ' group by known.channel) as bases'
) or range['day_before'])[:10]) if is_incremental() else none %}
with spine as (
    select sales.business_date, sales.channel
    from {{ ref('agg_daily_sales') }} as sales
    {% if is_incremental() %}
    where sales.business_date >= {{ first }} and sales.business_date <= {{ until }}
    {% endif %}
    union
    select sales.business_date, cast('all' as {{ type_text(20) }}) as channel
    from {{ ref('agg_daily_sales') }} as sales
    {% if is_incremental() %}
    where sales.business_date >= {{ first }} and sales.business_date <= {{ until }}
    {% endif %}
),

{% if is_incremental() %}
known as (
    select
        known.channel,
        known.business_date,
        known.customers_365d,
        known.repeat_customers_365d,
        row_number() over (partition by known.channel order by known.business_date desc) as recency
    from {{ this }} as known
    where known.business_date < {{ first }} and known.business_date > {{ add_days(first, -365) }}
),

-- A channel without such a day had no sale in the year before: it begins with nobody.
bases as (
    select
        channels.channel,
        coalesce(known.business_date, {{ add_days(first, -1) }}) as base_date,
        coalesce({{ add_days('known.business_date', -364) }}, {{ add_days(first, -364) }}) as orders_from,
        coalesce(known.customers_365d, 0) as customers,
        coalesce(known.repeat_customers_365d, 0) as repeats
    from (select distinct spine.channel from spine) as channels
    left join known on known.channel = channels.channel and known.recency = 1
),

-- Who bought since that day, or lost a day's sale by now; two literal ranges, so that the engine skips what is between.
bought as (
    select orders.channel, orders.person_id, orders.business_date
    from {{ ref('fct_orders') }} as orders
    where
        orders.person_id is not null
        and {{ is_true('orders.is_sale') }}
        and orders.business_date > {{ lowest }}
        and orders.business_date <= {{ until }}
    union
    select orders.channel, orders.person_id, orders.business_date
    from {{ ref('fct_orders') }} as orders
    where
        orders.person_id is not null
        and {{ is_true('orders.is_sale') }}
        and orders.business_date >= {{ add_days(lowest, -364) }}
        and orders.business_date <= {{ add_days(until, -365) }}
),

changing as (
    select bases.channel, bases.orders_from, bought.person_id
    from bought
    inner join bases on bases.channel = bought.channel or bases.channel = 'all'
    where
        bought.business_date > bases.base_date
        or (bought.business_date >= bases.orders_from and bought.business_date <= {{ add_days(until, -365) }})
    group by bases.channel, bases.orders_from, bought.person_id
),

scoped as (
    select changing.channel, orders.person_id, orders.business_date, count(*) as order_count
    from {{ ref('fct_orders') }} as orders
    inner join changing
        on changing.person_id = orders.person_id and (changing.channel = orders.channel or changing.channel = 'all')
    where
        {{ is_true('orders.is_sale') }}
        and orders.business_date >= {{ add_days(lowest, -364) }}
        and orders.business_date <= {{ until }}
        and orders.business_date >= changing.orders_from
    group by changing.channel, orders.person_id, orders.business_date
),
{% else %}
person_days as (
    select
        orders.channel,
        orders.person_id,
        orders.business_date,
        count(*) as order_count
    from {{ ref('fct_orders') }} as orders
    where orders.person_id is not null and {{ is_true('orders.is_sale') }}
    group by orders.channel, orders.person_id, orders.business_date
),

scoped as (
    select person_days.channel, person_days.person_id, person_days.business_date, person_days.order_count
    from person_days
    union all
    select
        cast('all' as {{ type_text(20) }}) as channel,
        person_days.person_id,
        person_days.business_date,
        sum(person_days.order_count) as order_count
    from person_days
    group by person_days.person_id, person_days.business_date
),
{% endif %}
neighbours as (
    select
        scoped.channel,
        scoped.business_date,
        case
            when scoped.order_count > 1 then scoped.business_date
            else
                lag(scoped.business_date) over (
                    partition by scoped.channel, scoped.person_id order by scoped.business_date
                )
        end as previous_date,
        lead(scoped.business_date) over (
            partition by scoped.channel, scoped.person_id order by scoped.business_date
        ) as next_date
    from scoped
),

spans as (
    select
        neighbours.channel,
        neighbours.business_date as from_date,
        case
            when neighbours.next_date < {{ add_days('neighbours.business_date', 365) }} then neighbours.next_date
            else {{ add_days('neighbours.business_date', 365) }}
        end as customer_until,
        case
            when neighbours.next_date < {{ add_days('neighbours.previous_date', 365) }} then neighbours.next_date
            else {{ add_days('neighbours.previous_date', 365) }}
        end as repeat_until
    from neighbours
),

changes as (
    select spans.channel, spans.from_date as changed_date, 1 as customers, 0 as repeats
    from spans
    union all
    select spans.channel, spans.customer_until as changed_date, -1 as customers, 0 as repeats
    from spans
    union all
    select spans.channel, spans.from_date as changed_date, 0 as customers, 1 as repeats
    from spans
    where spans.repeat_until > spans.from_date
    union all
    select spans.channel, spans.repeat_until as changed_date, 0 as customers, -1 as repeats
    from spans
    where spans.repeat_until > spans.from_date
),

days as (
    select spine.channel, spine.business_date as changed_date, 0 as customers, 0 as repeats, 1 as is_spine
    from spine
    union all
    select changes.channel, changes.changed_date, changes.customers, changes.repeats, 0 as is_spine
    from changes
    {%- if is_incremental() %}
    inner join bases on bases.channel = changes.channel
    where changes.changed_date > bases.base_date
    union all
    select bases.channel, bases.base_date as changed_date, bases.customers, bases.repeats, 0 as is_spine
    from bases
    {%- endif %}
),

daily as (
    select
        days.channel,
        days.changed_date as business_date,
        sum(days.customers) as customers,
        sum(days.repeats) as repeats,
        max(days.is_spine) as is_spine
    from days
    group by days.channel, days.changed_date
),

running as (
    select
        daily.channel,
        daily.business_date,
        daily.is_spine,
        sum(daily.customers) over (
            partition by daily.channel order by daily.business_date
            rows between unbounded preceding and current row
        ) as customers_365d,
        sum(daily.repeats) over (
            partition by daily.channel order by daily.business_date
            rows between unbounded preceding and current row
        ) as repeat_customers_365d
    from daily
)

select
    business_date,
    channel,
    cast(customers_365d as int) as customers_365d,
    cast(repeat_customers_365d as int) as repeat_customers_365d,
    {{ built_at() }} as built_at
from running
where is_spine = 1
