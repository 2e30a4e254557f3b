{# How a gold model forgets what its scope (gold_touched.sql) says has to be rebuilt, and reads only that. #}

{#
  Pre-hook: forget the rows of this model whose keys are in one of the scopes, a list of [select of keys, keys].
  One hook for all of them, so that each sees the table as the last build left it.
#}
{% macro gold_forget(scopes) -%}
{%- if is_incremental() -%}
delete from {{ this }}
where
    {%- for scope, keys in scopes %}
    {{ "or " if not loop.first }}exists (
        select 1
        from (
            {{ scope }}
        ) as touched
        where
        {%- for key in keys %}
            touched.{{ key }} = {{ this }}.{{ key }}{{ " and" if not loop.last }}
        {%- endfor %}
    )
    {%- endfor %}
{%- endif -%}
{%- endmacro %}

{# In an incremental run, only the rows whose keys are in the CTE `touched`. Follows a from clause. #}
{% macro gold_only_touched(rows, keys) -%}
{%- if is_incremental() %}
    inner join touched on {% for key in keys %}touched.{{ key }} = {{ rows }}.{{ key }}{{ " and " if not loop.last }}{% endfor %}
{%- endif %}
{%- endmacro %}

{#
  The literal range of days that a look-back of `days` days makes of the touched days: first touched day to last
  touched day + days - 1, and `until`, that or the last day with sales; `day_before` is the one before the first, as text.
  Where nothing was touched, and where no query may be sent, a range that holds no day.
#}
{% macro gold_touched_range(days) -%}
{%- set scope = gold_touched_days() -%}
{%- set nothing = {
    'first': date_literal('2999-01-01'), 'last': date_literal('1900-01-01'), 'until': date_literal('1900-01-01'),
    'day_before': '2999-01-01'
} -%}
{%- if not (may_query() and is_incremental()) -%}
{{- return(nothing) -}}
{%- endif -%}
{%- set answer = run_query(
    'select ' ~ iso_text('min(days.business_date)') ~ ' as first_day, '
    ~ iso_text('max(' ~ add_days('days.business_date', days - 1) ~ ')') ~ ' as last_day from (' ~ scope ~ ') as days'
) -%}
{%- if answer.rows[0][0] is none -%}
{{- return(nothing) -}}
{%- endif -%}
{%- set first, last = answer.rows[0][0][:10], answer.rows[0][1][:10] -%}
{%- set newest = (extreme('max', 'business_date', ref('agg_daily_sales'), none) or '1900-01-01')[:10] -%}
{{- return({
    'first': date_literal(first), 'last': date_literal(last), 'until': date_literal([last, newest] | min),
    'day_before': (modules.datetime.date.fromisoformat(first) - modules.datetime.timedelta(days=1)).isoformat()
}) -}}
{%- endmacro %}

{# Pre-hook: forget the days of that range. #}
{% macro gold_forget_range(days) -%}
{%- set range = gold_touched_range(days) -%}
{%- if is_incremental() -%}
delete from {{ this }} where business_date >= {{ range['first'] }} and business_date <= {{ range['last'] }}
{%- endif -%}
{%- endmacro %}

{# Pre-hook: forget the days before the first and after the last day of sales. #}
{% macro gold_forget_stock_days() -%}
{%- set sales = ref('agg_daily_sales') -%}
{%- if is_incremental() -%}
delete from {{ this }}
where
    business_date < (select min(sales.business_date) from {{ sales }} as sales)
    or business_date > (select max(sales.business_date) from {{ sales }} as sales)
{%- endif -%}
{%- endmacro %}

{# Pre-hook: forget the categories that no piece is of any more. #}
{% macro gold_forget_stock_categories() -%}
{%- set stock_days = ref('int_stock_days') -%}
{%- if is_incremental() -%}
delete from {{ this }}
where not exists (
    select 1
    from {{ stock_days }} as stock_days
    where stock_days.category = {{ this }}.category and stock_days.added_items > 0
)
{%- endif -%}
{%- endmacro %}

{# Pre-hook: forget the days and categories that there is no stock of any more. #}
{% macro gold_forget_stockless() -%}
{%- set stock = ref('agg_daily_category_stock') -%}
{%- if is_incremental() -%}
delete from {{ this }}
where not exists (
    select 1
    from {{ stock }} as stock
    where
        stock.business_date = {{ this }}.business_date
        and (stock.category = {{ this }}.category or {{ this }}.category = 'all')
)
{%- endif -%}
{%- endmacro %}

{#
  In an incremental run, only the rows of which `this` holds no equal one: left join and where clause, after a from clause
  whose rows are called `rows`. A condition `bound` on `known` spares the search of the whole table.
#}
{% macro gold_unlike_known(rows, keys, figures, bound=none) -%}
{%- if is_incremental() -%}
left join {{ this }} as known
    on
        {% for key in keys -%}
        {{ "and " if not loop.first }}known.{{ key }} = {{ rows }}.{{ key }}
        {% endfor -%}
        {%- for figure in figures -%}
        and (known.{{ figure }} = {{ rows }}.{{ figure }} or (known.{{ figure }} is null and {{ rows }}.{{ figure }} is null))
        {% endfor -%}
        {%- if bound %}and {{ bound }}{% endif %}
where known.{{ keys[0] }} is null
{%- endif -%}
{%- endmacro %}
