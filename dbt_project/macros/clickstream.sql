{# Rules of the web shop's events and sessions. #}

{#
  When an event happened. A browser's clock may be wrong; what it says was sent and what Segment says was received are the
  same moment, so the difference is put right (https://segment.com/docs/connections/spec/common/#timestamps):
  timestamp = receivedAt - (sentAt - originalTimestamp). More than 20 days between happening and sending is no clock's
  error but nonsense: then the stated time counts.
#}
{% macro event_time(row) -%}
  case
    when {{ row }}.provider = 'segment'
      and abs({{ days_between(utc_date(row ~ '.original_at'), utc_date(row ~ '.sent_at')) }}) <= 20
      then {{ time_plus_difference(row ~ '.received_at', row ~ '.sent_at', row ~ '.original_at') }}
    else {{ row }}.stated_at
  end
{%- endmacro %}

{# `time` moved by what lies from `earlier` to `later`, to the millisecond; null where one of them is. #}
{% macro time_plus_difference(time, earlier, later) -%}
  {{ return(adapter.dispatch('time_plus_difference')(time, earlier, later)) }}
{%- endmacro %}
{% macro duckdb__time_plus_difference(time, earlier, later) -%}
  make_timestamptz(epoch_us({{ time }}) + (epoch_us({{ later }}) - epoch_us({{ earlier }})))
{%- endmacro %}
{% macro fabric__time_plus_difference(time, earlier, later) -%}
  dateadd(millisecond, cast(datediff_big(millisecond, {{ earlier }}, {{ later }}) as int), {{ time }})
{%- endmacro %}

{# A time moved by whole minutes. #}
{% macro add_minutes(time, minutes) -%} {{ return(adapter.dispatch('add_minutes')(time, minutes)) }} {%- endmacro %}
{% macro duckdb__add_minutes(time, minutes) -%} {{ time }} + to_minutes({{ minutes }}) {%- endmacro %}
{% macro fabric__add_minutes(time, minutes) -%} dateadd(minute, {{ minutes }}, {{ time }}) {%- endmacro %}

{#
  Segment's names of events in the words of Shopify's pixels, which are the canonical ones
  (https://segment.com/docs/connections/spec/ecommerce/v2/, https://shopify.dev/docs/api/web-pixels-api/standard-events);
  any other name is kept, in lower case with underscores.
#}
{% macro canonical_event(name, type) -%}
  case
    when lower({{ type }}) in ('page', 'screen') then 'page_viewed'
    when lower({{ type }}) = 'identify' then 'identified'
    else case lower({{ name }})
      {%- for theirs, ours in [
        ('product viewed', 'product_viewed'), ('product added', 'product_added_to_cart'),
        ('product removed', 'product_removed_from_cart'), ('cart viewed', 'cart_viewed'),
        ('checkout started', 'checkout_started'), ('payment info entered', 'payment_info_submitted'),
        ('order completed', 'checkout_completed'), ('product list viewed', 'collection_viewed'),
        ('products searched', 'search_submitted'),
      ] %}
      when '{{ theirs }}' then '{{ ours }}'
      {%- endfor %}
      else replace(lower({{ name }}), ' ', '_') end
  end
{%- endmacro %}

{# Whether a user agent says that it is a machine: a condition. Cubot is a make of telephone. #}
{% macro is_machine(agent) -%}
  (
  {%- for word in ['bot', 'crawl', 'spider', 'slurp', 'headless', 'lighthouse', 'preview', 'monitor', 'curl/', 'wget/',
      'python-', 'go-http-client', 'okhttp', 'java/', 'scrapy', 'phantomjs', 'facebookexternalhit'] %}
    replace(lower({{ agent }}), 'cubot', '') like '%{{ word }}%' {{- ' or' if not loop.last }}
  {%- endfor %}
  )
{%- endmacro %}

{# The kind of device behind a user agent: phone, tablet, desktop, machine, or unknown where it says nothing. #}
{% macro device_class(agent) -%}
  case
    when {{ agent }} is null then 'unknown'
    when {{ is_machine(agent) }} then 'machine'
    when lower({{ agent }}) like '%ipad%' or lower({{ agent }}) like '%tablet%' then 'tablet'
    when lower({{ agent }}) like '%mobi%' or lower({{ agent }}) like '%iphone%' then 'phone'
    -- Android's browsers say "Mobile" on phones only (https://developer.chrome.com/docs/privacy-security/user-agent).
    when lower({{ agent }}) like '%android%' then 'tablet'
    else 'desktop'
  end
{%- endmacro %}

{# The pause, in minutes, after which a visitor's next event begins another session. #}
{% macro session_pause() -%} 30 {%- endmacro %}

{#
  The number of the stretch of time, as long as session_pause(), that a time is in. Two times of one stretch have no pause
  between them.
#}
{% macro pause_stretch(time) -%} {{ return(adapter.dispatch('pause_stretch')(time)) }} {%- endmacro %}
{#- Counted from 1900 on both engines, so that none of it is negative: a division would round it towards 0. -#}
{% macro duckdb__pause_stretch(time) -%}
  (epoch_us({{ time }}) + 2208988800000000) // {{ session_pause() | int * 60000000 }}
{%- endmacro %}
{% macro fabric__pause_stretch(time) -%}
  datediff(minute, {{ time_literal('1900-01-01 00:00:00.000000') }}, {{ time }}) / {{ session_pause() | int }}
{%- endmacro %}
