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
