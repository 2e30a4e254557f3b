{# Exact arithmetic where the engines differ: DuckDB divides decimals as doubles, T-SQL cuts whole numbers. #}

{#
  numerator / denominator, below 10^14 and 10^11 and with at most `places` decimals, rounded half away from zero to `scale`
  decimals, as decimal(28, scale); null where the denominator is 0 or null.
#}
{% macro quotient(numerator, denominator, scale=4, places=4) -%}
  {{ return(adapter.dispatch('quotient')(numerator, denominator, scale, places)) }}
{%- endmacro %}
{#-
  In 64 bits where both are small enough, as nearly all are: to divide by 128 takes twelve times as long. A double is exact
  enough to read them: in a whole number of 14 digits it is off by less than a twentieth.
-#}
{% macro duckdb__quotient(numerator, denominator, scale, places) -%}
  {%- set exact = 14 -%}
  case
    when abs(cast({{ numerator }} as double)) < {{ 10 ** ([18 - scale, exact] | min - places) }}
      and abs(cast({{ denominator }} as double)) < {{ 10 ** (exact - places) }}
      then {{ divided_whole(numerator, denominator, scale, shifted_to_bigint(numerator, places),
        shifted_to_bigint(denominator, places), 18) }}
    else {{ divided_whole(numerator, denominator, scale, shifted_to_hugeint(numerator, places),
      shifted_to_hugeint(denominator, places), 36 - scale) }}
  end
{%- endmacro %}
{% macro divided_whole(numerator, denominator, scale, top, bottom, width) -%}
  cast(
    cast(
      sign({{ numerator }}) * sign({{ denominator }})
      * ((2 * {{ top }} * {{ 10 ** scale }} + {{ bottom }}) // nullif(2 * {{ bottom }}, 0)) as decimal({{ width }}, 0)
    ) * cast('{{ '%.12f' | format(10 ** (-scale)) }}' as decimal({{ scale + 1 }}, {{ scale }})) as decimal(28, {{ scale }})
  )
{%- endmacro %}
{% macro shifted_to_hugeint(number, places) -%}
  abs(cast(cast({{ number }} as decimal({{ 24 + places }}, {{ places }})) * cast({{ 10 ** places }} as decimal({{ places + 1 }}, 0)) as hugeint))
{%- endmacro %}
{% macro shifted_to_bigint(number, places) -%}
  cast(round(abs(cast({{ number }} as double)) * {{ 10 ** places }}) as bigint)
{%- endmacro %}
{% macro fabric__quotient(numerator, denominator, scale, places) -%}
  cast(
    round(
      cast({{ numerator }} as decimal({{ 14 + places }}, {{ places }}))
      / nullif(cast({{ denominator }} as decimal({{ 11 + places }}, {{ places }})), 0), {{ scale }}
    ) as decimal(28, {{ scale }})
  )
{%- endmacro %}

{#
  The product of two amounts of money, each below 10^15. As it stands DuckDB makes it a decimal(18, 8), which holds less
  than 10^10: 324,906 yen of 324,906 yen are more.
#}
{% macro product(amount, factor) -%} cast({{ amount }} as decimal(28, 4)) * ({{ factor }}) {%- endmacro %}

{# The first reason that holds, or several joined by '; ': null where none does. `reasons` is a list of [condition, text]. #}
{% macro first_reasons(reasons) -%}
  nullif(concat('',
  {%- for reason in reasons %}
    case when {{ reason[0] }} then '{{ reason[1] }}; ' else '' end {{- ',' if not loop.last }}
  {%- endfor %}
  ), '')
{%- endmacro %}

{# Whether a text is an ISO 4217 currency code in use: a condition, never null. #}
{% macro is_currency(column) -%}
  coalesce({{ column }}, '') in (
    'AED','AFN','ALL','AMD','ANG','AOA','ARS','AUD','AWG','AZN','BAM','BBD','BDT','BGN','BHD','BIF','BMD','BND','BOB',
    'BRL','BSD','BTN','BWP','BYN','BZD','CAD','CDF','CHF','CLP','CNY','COP','CRC','CUP','CVE','CZK','DJF','DKK','DOP',
    'DZD','EGP','ERN','ETB','EUR','FJD','FKP','GBP','GEL','GHS','GIP','GMD','GNF','GTQ','GYD','HKD','HNL','HRK','HTG',
    'HUF','IDR','ILS','INR','IQD','IRR','ISK','JMD','JOD','JPY','KES','KGS','KHR','KMF','KPW','KRW','KWD','KYD','KZT',
    'LAK','LBP','LKR','LRD','LSL','LYD','MAD','MDL','MGA','MKD','MMK','MNT','MOP','MRU','MUR','MVR','MWK','MXN','MYR',
    'MZN','NAD','NGN','NIO','NOK','NPR','NZD','OMR','PAB','PEN','PGK','PHP','PKR','PLN','PYG','QAR','RON','RSD','RUB',
    'RWF','SAR','SBD','SCR','SDG','SEK','SGD','SHP','SLE','SOS','SRD','SSP','STN','SVC','SYP','SZL','THB','TJS','TMT',
    'TND','TOP','TRY','TTD','TWD','TZS','UAH','UGX','USD','UYU','UZS','VES','VND','VUV','WST','XAF','XCD','XOF','XPF',
    'YER','ZAR','ZMW','ZWL'
  )
{%- endmacro %}

{# The natural logarithm of a number above 0, as a float. #}
{% macro natural_log(number) -%} {{ return(adapter.dispatch('natural_log')(number)) }} {%- endmacro %}
{% macro duckdb__natural_log(number) -%} ln({{ number }}) {%- endmacro %}
{% macro fabric__natural_log(number) -%} log({{ number }}) {%- endmacro %}
