{%- set touched = gold_touched_audience() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_audience(), ['person_id']]]) }}"
) }}

{# Nobody is in clear here, and no hash is: a destination computes its own from the vault, which knows no erased person. #}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}people as (
    select
        people.person_id,
        people.has_email_consent,
        -- Where somebody is known from: also channels on which nothing counts as a sale.
        concat(coalesce(customers.channels, ''), ',', coalesce(people.channels, '')) as channels
    from {{ ref('dim_customer') }} as people
    {{- gold_only_touched('people', ['person_id']) }}
    left join {{ ref('customers') }} as customers on customers.person_id = people.person_id
),

-- What is held back over a dispute and was not given back since.
disputed as (
    select orders.person_id
    from {{ ref('payout_lines') }} as lines
    inner join {{ ref('fct_orders') }} as orders on orders.channel = lines.channel and orders.order_id = lines.order_id
    inner join people on people.person_id = orders.person_id
    where {{ is_dispute('lines') }}
    group by orders.person_id, orders.channel, orders.order_id
    having sum(lines.amount) < 0
),

disputers as (
    select distinct disputed.person_id
    from disputed
),

judged as (
    select
        people.person_id,
        {{ first_reasons([
            [is_false('people.has_email_consent'), 'no consent'],
            ["people.channels not like '%shopify%' and people.channels not like '%pos%'", 'known to marketplaces alone'],
            ['disputers.person_id is not null', 'open dispute'],
        ]) }} as reasons
    from people
    left join disputers on disputers.person_id = people.person_id
),

members as (
    {%- for destination in audience_destinations() %}
    select '{{ destination }}' as destination, judged.person_id, judged.reasons
    from judged
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    cast(members.destination as {{ type_text(20) }}) as destination,
    members.person_id,
    {{ flag('members.reasons is null') }} as is_eligible,
    members.reasons,
    {{ built_at() }} as built_at
from members
