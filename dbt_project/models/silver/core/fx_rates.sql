{{ config(unique_key=['source', 'rate_ts'], meta={'bound_by': 'rate_date'}) }}
{#- Exchange rates as published: how much of `quote` one unit of `base` is. -#}

with ecb as (
    {{ explode_map(
        ref('stg_fx__ecb_rates'), 'rates', ['base', 'rate_date', 'built_at'], 'quote_currency', 'rate_text'
    ) | indent(4) }}
),

intraday as (
    {{ explode_map(
        ref('stg_fx__intraday_rates'), 'rates', ['base', 'rate_ts', 'provider', 'built_at'], 'quote_currency', 'rate_text'
    ) | indent(4) }}
),

published as (
    select
        base,
        quote_currency as quote,
        {{ midnight_utc('rate_date') }} as rate_ts,
        rate_date,
        try_cast(rate_text as decimal(20, 10)) as rate,
        'ecb' as source
    from ecb
    where built_at > {{ watermark() }}
    union all
    select
        base,
        quote_currency as quote,
        rate_ts,
        {{ utc_date('rate_ts') }} as rate_date,
        try_cast(rate_text as decimal(20, 10)) as rate,
        provider as source
    from intraday
    where built_at > {{ watermark() }}
)

select
    published.*,
    {{ built_at() }} as built_at
from published
where published.rate > 0
    and published.rate_ts is not null
