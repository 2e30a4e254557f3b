{# Rules of marketing: what brought a visitor, and for how long it counts. #}

{#
  What brought a session, from its campaign or else from the page that led to it, in the manner of Google Analytics' default
  channels (https://support.google.com/analytics/answer/9756891). A page of the shop itself or of a payment (var own_hosts)
  leads nobody here.
#}
{% macro marketing_channel(sessions) -%}
  {%- set source = "coalesce(lower(" ~ sessions ~ ".utm_source), '')" -%}
  {%- set medium = "coalesce(lower(" ~ sessions ~ ".utm_medium), '')" -%}
  {%- set page = "coalesce(lower(" ~ sessions ~ ".referrer), '')" -%}
  {%- set social = ['facebook', 'instagram', 'meta', 'pinterest', 'tiktok', 'twitter', 'reddit', 'youtube', 'linkedin'] -%}
  {%- set search = ['google.', 'bing.com', 'duckduckgo.com', 'yahoo.', 'ecosia.org', 'baidu.com', 'qwant.com'] -%}
  {%- set paid = medium ~ " in ('cpc', 'ppc', 'cpm', 'retargeting') or " ~ medium ~ " like 'paid%'" -%}
  case
    when {{ medium }} like '%mail%' or {{ source }} like '%mail%' or {{ source }} = 'newsletter' then 'email'
    when ({{ paid }}) and {{ source }} in ('{{ social | join("', '") }}') then 'paid_social'
    when ({{ paid }}) and {{ source }} in ('google', 'bing', 'duckduckgo', 'yahoo') then 'paid_search'
    when {{ paid }} then 'paid_other'
    when {{ medium }} in ('social', 'social-media', 'social-network', 'sm') or {{ source }} in ('{{ social | join("', '") }}')
      then 'social'
    when {{ medium }} = 'organic' then 'organic_search'
    when {{ source }} <> '' then 'referral'
    when {{ page }} = '' {%- for host in var('own_hosts') %} or {{ page }} like '%//%{{ host }}%' {%- endfor %} then 'direct'
    when {% for host in social %}{{ page }} like '%//%{{ host }}.%' {{ 'or ' if not loop.last }}{% endfor %}then 'social'
    when {% for host in search %}{{ page }} like '%//%{{ host }}%' {{ 'or ' if not loop.last }}{% endfor %}then 'organic_search'
    else 'referral'
  end
{%- endmacro %}

{#
  Days whose sessions were made anew. One that a late event joined to an earlier one is no more, and its day lies within
  the one that swallowed it: so every day that this model has from the beginning to the end of a session made anew.
#}
{% macro gold_touched_session_days() -%}
{%- set since = watermark() -%}
select sessions.business_date
from {{ ref('fct_sessions') }} as sessions
where sessions.built_at > {{ since }}
{%- if is_incremental() %}
union
select known.business_date
from {{ this }} as known
inner join {{ ref('fct_sessions') }} as sessions
    on sessions.business_date < known.business_date
    and {{ business_date('sessions.ended_at') }} >= known.business_date
where sessions.built_at > {{ since }}
{%- endif %}
{%- endmacro %}

{# For how many days after a visit an order may be owed to it. #}
{% macro attribution_days() -%} 30 {%- endmacro %}

{# A completed checkout names the order: a condition on silver.events. #}
{% macro is_completion(events) -%}
{{ events }}.event_name = 'checkout_completed' and {{ events }}.order_id is not null and {{ events }}.visitor_id is not null
{%- endmacro %}

{# Literal lower bound of the completions that gold_touched_attributions may name, less `slack` days. #}
{% macro attributions_since(slack=0) -%}
{%- set since = watermark() -%}
{%- set lookups = [
    [ref('fct_orders'), 'ordered_at', 'built_at > ' ~ since, 7 + slack],
    [ref('events'), 'occurred_at', 'built_at > ' ~ since, slack],
    [ref('fct_sessions'), 'started_at', 'built_at > ' ~ since, slack],
] -%}
{{ earliest_of(lookups) if is_incremental() else since }}
{%- endmacro %}

{# Web orders whose completion, own record, or a visit of whose visitor in the days before was written anew. #}
{% macro gold_touched_attributions() -%}
{%- set since = watermark() -%}
select events.order_id
from {{ ref('events') }} as events
where events.built_at > {{ since }} and {{ is_completion('events') }}
union
select orders.order_id
from {{ ref('fct_orders') }} as orders
where orders.built_at > {{ since }} and orders.channel = 'shopify'
union
select events.order_id
from {{ ref('events') }} as events
inner join {{ ref('fct_sessions') }} as sessions on sessions.visitor_id = events.visitor_id
where sessions.built_at > {{ since }}
    and {{ is_completion('events') }}
    and events.occurred_at >= {{ attributions_since() }}
    and sessions.started_at <= events.occurred_at
    and sessions.ended_at > {{ add_minutes('events.occurred_at', '-' ~ 1440 * (attribution_days() | int)) }}
{%- endmacro %}

{# Advertising spend to be valued anew. #}
{% macro gold_touched_ad_spend() -%}
{{ gold_touched_dated(ref('ad_spend'), ['business_date', 'platform', 'campaign', 'currency'], 'source_rows.business_date') }}
{%- endmacro %}

{# Days on which an order is, or ever was, whose attribution was written anew, and the days that new spend pays for. #}
{% macro gold_touched_campaign_days() -%}
{%- set since = watermark() -%}
select links.business_date
from {{ ref('int_order_links') }} as links
inner join {{ ref('fct_attributions') }} as attributions
    on attributions.channel = links.channel and attributions.order_id = links.order_key
where attributions.built_at > {{ since }}
union
select days.calendar_date as business_date
from {{ ref('dim_date') }} as days
inner join {{ ref('fct_ad_spend') }} as spend
    on spend.business_date <= days.calendar_date
    and days.calendar_date < {{ add_days('spend.business_date', attribution_days()) }}
where spend.built_at > {{ since }}
{%- endmacro %}

{# Where audiences go: each destination hashes identities its own way, so each has a list of its own. #}
{% macro audience_destinations() -%} {{- return(['google', 'meta']) -}} {%- endmacro %}

{# An entry of a channel's ledger about a payment that its buyer disputes: a condition. #}
{% macro is_dispute(lines) -%}
({{ lines }}.transaction_type like '%dispute%' or {{ lines }}.transaction_type like '%chargeback%')
{%- endmacro %}

{# People whose record, or a dispute of whose orders, was written anew, and those who are in dim_customer no more. #}
{% macro gold_touched_audience() -%}
{%- set since = watermark() -%}
select customers.person_id
from {{ ref('dim_customer') }} as customers
where customers.built_at > {{ since }}
union
{{ gold_touched_people() }}
union
select orders.person_id
from {{ ref('payout_lines') }} as lines
inner join {{ ref('fct_orders') }} as orders on orders.channel = lines.channel and orders.order_id = lines.order_id
where lines.built_at > {{ since }} and {{ is_dispute('lines') }} and orders.person_id is not null
{%- endmacro %}
