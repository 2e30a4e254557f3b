{#
  Where the business's figures come from: one int_kpis__<mart> model per mart, with the columns business_date, channel
  (`all` too), category (`all` too), kpi, value and built_at. A mart computes its own figures, says in its own words what
  they are (kpis.md beside the model) and decides which days it computes anew; agg_kpis and agg_category_kpis unite them.
#}
{% macro kpi_models() -%}
  {{- return([
    'int_kpis__finance', 'int_kpis__inventory', 'int_kpis__marketing', 'int_kpis__customer_experience',
    'int_kpis__fulfillment',
  ]) -}}
{%- endmacro %}

{# The figures of all marts, over all categories ('=') or of single ones ('<>'). #}
{% macro gold_kpis(categories) -%}
{%- for model in kpi_models() %}
    select kpis.business_date, kpis.channel, kpis.category, kpis.kpi, kpis.value
    from {{ ref(model) }} as kpis
    {{- gold_only_touched('kpis', ['business_date']) }}
    where kpis.category {{ categories }} 'all'
    {{ "union all" if not loop.last }}
{%- endfor %}
{%- endmacro %}

{# Days that a mart computed anew since the calling model was built, and those on which a mart has a figure no more. #}
{% macro gold_touched_kpi_days(categories) -%}
{%- set in_scope = "daily.category " ~ categories ~ " 'all'" -%}
{%- set models = [] -%}
{%- for model in kpi_models() -%}
  {%- do models.append(ref(model)) -%}
{%- endfor -%}
{{ gold_rebuilt_days(models, in_scope) }}
union
select known.business_date
from {{ this }} as known
where
    {%- for model in models %}
    not exists (
        select 1
        from {{ model }} as daily
        where daily.business_date = known.business_date and daily.kpi = known.kpi and {{ in_scope }}
    )
    {{ "and" if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# One figure of an int_kpis__ model: a select of the columns named above from `rows`, where its divisor is not 0. #}
{% macro gold_kpi(rows, kpi, value, where=none) -%}
    select
        {{ rows }}.business_date,
        {{ rows }}.channel,
        {{ rows }}.category,
        '{{ kpi }}' as kpi,
        cast({{ value }} as decimal(28, 8)) as value
    from {{ rows }}
    {%- if where %}
    where {{ where }}
    {%- endif %}
{%- endmacro %}

{# What every int_kpis__ model ends with: its figures, typed and stamped. `kpis` is the CTE that holds them. #}
{% macro gold_typed_kpis(kpis) -%}
select
    {{ kpis }}.business_date,
    cast({{ kpis }}.channel as {{ type_text(20) }}) as channel,
    cast({{ kpis }}.category as {{ type_text(100) }}) as category,
    cast({{ kpis }}.kpi as {{ type_text(50) }}) as kpi,
    cast({{ kpis }}.value as decimal(28, 8)) as value,
    {{ built_at() }} as built_at
from {{ kpis }}
{%- endmacro %}

{#
  Days of which one of `tables` has rows built since the calling model was, or of which the calling model has none: those
  are new, or the pre-hook has just forgotten them because a figure of theirs is no more.
#}
{% macro gold_rebuilt_days(tables, condition='1 = 1') -%}
{%- for table in tables %}
select daily.business_date
from {{ table }} as daily
where
    {{ condition }}
    and (
        daily.built_at > {{ watermark() }}
        or not exists (select 1 from {{ this }} as known where known.business_date = daily.business_date)
    )
{{ "union" if not loop.last }}
{%- endfor %}
{%- endmacro %}

{# Days on which the calling model has the figure `kpi` of single channels, but `table` no row of that day and channel. #}
{% macro gold_vanished_kpi_days(kpi, table) -%}
select known.business_date
from {{ this }} as known
left join {{ table }} as daily
    on daily.business_date = known.business_date and daily.channel = known.channel
where known.kpi = '{{ kpi }}' and known.channel <> 'all' and known.category = 'all' and daily.channel is null
{%- endmacro %}

{#
  Days on which `expression` over the rows of `table` is another than the calling model holds as the figure `kpi`. For
  tables with few rows, whose rows may move to another day: comparing them all costs one row a day and channel.
#}
{% macro gold_changed_kpi_days(kpi, table, expression) -%}
select coalesce(fresh.business_date, known.business_date) as business_date
from (
    select reported.business_date, reported.channel, {{ expression }} as value
    from {{ table }} as reported
    group by reported.business_date, reported.channel
) as fresh
full outer join (
    select known.business_date, known.channel, known.value
    from {{ this }} as known
    where known.kpi = '{{ kpi }}' and known.channel <> 'all' and known.category = 'all'
) as known on known.business_date = fresh.business_date and known.channel = fresh.channel
where fresh.channel is null or known.channel is null or known.value <> fresh.value
{%- endmacro %}

{# A row of each day and channel, and one of the day over all channels. #}
{% macro with_all_channels(rows, columns) -%}
    select {{ rows }}.channel, {{ columns | join(', ') }}
    from {{ rows }}
    union all
    select 'all' as channel, {{ columns | join(', ') }}
    from {{ rows }}
{%- endmacro %}
