{{ config(unique_key=['rate_date', 'currency'], meta={'bound_by': 'rate_date', 'bound_slack_days': 0}) }}
{#-
  For every calendar day what one unit of a currency was worth in the reporting currency: the ECB's last rate on or before
  the day, at most fx_max_age_days old. Days before the first rate have no row. ECB rates are per euro, so a rate is the
  reporting currency's over the currency's own.
-#}
{%- set max_age = var('fx_max_age_days') | int -%}
{%- set fresh = "source = 'ecb' and built_at > " ~ watermark() -%}

with new_dates as (
    select min(rate_date) as first_date, max(rate_date) as last_date
    from {{ ref('fx_rates') }}
    where {{ fresh }}
),

per_euro as (
    select rate_date, quote as currency, rate
    from {{ ref('fx_rates') }}
    where source = 'ecb' and base = 'EUR' and quote <> 'EUR'
    {%- if is_incremental() %}
        and rate_date >= {{ earliest_date(ref('fx_rates'), 'rate_date', fresh, slack_days=max_age + 31) }}
    {%- endif %}
),

euro_days as (
    select distinct rate_date, 'EUR' as currency, cast(1 as decimal(20, 10)) as rate
    from per_euro
),

per_euro_and_euro as (
    select rate_date, currency, rate from per_euro
    union all
    select rate_date, currency, rate from euro_days
),

crossed as (
    select
        rates.rate_date,
        rates.currency,
        cast({{ quotient('reporting.rate', 'rates.rate', 12, 10) }} as {{ type_fx_rate() }}) as fx_rate,
        lead(rates.rate_date) over (partition by rates.currency order by rates.rate_date) as next_rate_date
    from per_euro_and_euro as rates
    inner join per_euro_and_euro as reporting
        on reporting.rate_date = rates.rate_date and reporting.currency = '{{ reporting_currency() }}'
),

ages as (
    {%- for age in range(max_age + 1) %}
    select {{ age }} as age_days
    {{- ' union all' if not loop.last }}
    {%- endfor %}
),

filled as (
    select
        {{ add_days('crossed.rate_date', 'ages.age_days') }} as rate_date,
        crossed.currency,
        crossed.fx_rate,
        crossed.rate_date as source_rate_date,
        crossed.next_rate_date
    from crossed
    cross join ages
)

select
    filled.rate_date,
    filled.currency,
    filled.fx_rate,
    filled.source_rate_date,
    {{ built_at() }} as built_at
from filled
cross join new_dates
where (filled.next_rate_date is null or filled.rate_date < filled.next_rate_date)
    -- A new rate holds until the next one or until it is too old; other days stay as they are.
    and filled.rate_date >= new_dates.first_date
    and filled.rate_date <= {{ add_days('new_dates.last_date', max_age) }}
