{#
  The incremental strategy of this project: `incremental_strategy='replace'` (the default of silver).

  The new rows replace the rows of the table that have the same `unique_key`. The key may be coarser than a row: with
  unique_key=['channel', 'order_id'] an order's lines are replaced together, so a line that vanished goes.
  Config, under meta:
    bound_by          date or time column that does not change for a key (ordered_at). The delete carries its literal range
                      over the new rows, so its cost follows the new rows, not the history. Without it the whole table is
                      searched: only for tables that stay small.
    bound_slack_days  how far a corrected record may have moved its bound_by (default 7). A unique test catches the rest.
    version_by        columns, none of them null: a new row is dropped where the table holds a row of its key with a higher
                      version. So a late, older version never overwrites.
    keep_where        condition on the new rows: the others only clear their key. An order without refunds brings such a
                      row, so that a refund which an older version of the order had goes.
#}
{% macro get_incremental_replace_sql(arg_dict) %}
  {%- set target = arg_dict['target_relation'] -%}
  {%- set fresh = arg_dict['temp_relation'] -%}
  {%- set keys = arg_dict['unique_key'] -%}
  {%- if keys is string -%} {%- set keys = [keys] -%} {%- endif -%}
  {%- set options = config.get('meta', {}) -%}
  {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
  {%- set bound_type = arg_dict['dest_columns'] | selectattr('name', 'equalto', options.get('bound_by'))
    | map(attribute='dtype') | first | default('') | lower -%}
  {%- set found = replace_bounds(fresh, options.get('bound_by'), options.get('bound_slack_days', 7), bound_type) -%}
  {%- if found['rows'] == 0 -%}
    select 0 as nothing_new
  {%- else -%}
    {%- if options.get('version_by') %}
    {{ delete_outdated(fresh, target, keys, options['version_by'], found['bound']) }};
    {%- endif %}
    {{ delete_matching(target, fresh, keys, found['bound']) }};
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ fresh }}
    {%- if options.get('keep_where') %} where {{ options['keep_where'] }} {%- endif %}
  {%- endif -%}
{% endmacro %}

{# The number of new rows, and the conditions (with `{}` for the alias) that hold their bound column's literal range. #}
{% macro replace_bounds(fresh, bound_by, slack_days, bound_type) %}
  {%- if not bound_by -%}
    {%- set answer = run_query('select count(*) as row_count from ' ~ fresh) -%}
    {{- return({'rows': answer.columns[0].values()[0] | int, 'bound': []}) -}}
  {%- endif -%}
  {%- set answer = run_query(
    'select count(*) as row_count, count(' ~ bound_by ~ ') as bounded_count, '
    ~ iso_text('min(' ~ bound_by ~ ')') ~ ' as lowest, ' ~ iso_text('max(' ~ bound_by ~ ')') ~ ' as highest from ' ~ fresh) -%}
  {%- set row = answer.rows[0] -%}
  {%- set bound = [] -%}
  {#- A row without the bound column could be anywhere: then the whole table is searched. -#}
  {%- if row[0] | int > 0 and row[0] | int == row[1] | int -%}
    {%- set slack = modules.datetime.timedelta(days=slack_days) -%}
    {%- set lowest = modules.datetime.datetime.fromisoformat(row[2]) - slack -%}
    {%- set highest = modules.datetime.datetime.fromisoformat(row[3]) + slack -%}
    {#- A literal of the column's own type: a cast of the column would keep the engine from skipping row groups. -#}
    {%- if bound_type == 'date' -%}
      {%- do bound.append('{}.' ~ bound_by ~ ' >= ' ~ date_literal(lowest.strftime('%Y-%m-%d'))) -%}
      {%- do bound.append('{}.' ~ bound_by ~ ' <= ' ~ date_literal(highest.strftime('%Y-%m-%d'))) -%}
    {%- else -%}
      {%- do bound.append('{}.' ~ bound_by ~ ' >= ' ~ time_literal(lowest.strftime('%Y-%m-%d %H:%M:%S.%f'))) -%}
      {%- do bound.append('{}.' ~ bound_by ~ ' <= ' ~ time_literal(highest.strftime('%Y-%m-%d %H:%M:%S.%f'))) -%}
    {%- endif -%}
  {%- endif -%}
  {{- return({'rows': row[0] | int, 'bound': bound}) -}}
{% endmacro %}

{# Delete the new rows of which the table holds a higher version. #}
{% macro delete_outdated(fresh, target, keys, versions, bound) -%}
  {{ return(adapter.dispatch('delete_outdated')(fresh, target, keys, versions, bound)) }}
{%- endmacro %}
{% macro duckdb__delete_outdated(fresh, target, keys, versions, bound) -%}
    delete from {{ fresh }} as late
    where exists (
      select 1 from {{ target }} as kept
      where {{ same_keys('kept', 'late', keys) }} {%- for part in bound %} and {{ part.replace('{}', 'kept') }} {%- endfor %}
        and {{ is_higher('kept', 'late', versions) }}
    )
{%- endmacro %}
{% macro fabric__delete_outdated(fresh, target, keys, versions, bound) -%}
    delete from {{ fresh }}
    where exists (
      select 1 from {{ target }} as kept
      where {{ same_keys('kept', fresh, keys) }} {%- for part in bound %} and {{ part.replace('{}', 'kept') }} {%- endfor %}
        and {{ is_higher('kept', fresh, versions) }}
    )
{%- endmacro %}

{# Delete the table's rows whose key is among the new rows. #}
{% macro delete_matching(target, fresh, keys, bound) -%}
  {{ return(adapter.dispatch('delete_matching')(target, fresh, keys, bound)) }}
{%- endmacro %}
{% macro duckdb__delete_matching(target, fresh, keys, bound) -%}
    delete from {{ target }} as kept
    using (select distinct {{ keys | join(', ') }} from {{ fresh }}) as fresh
    where {{ same_keys('kept', 'fresh', keys) }} {%- for part in bound %} and {{ part.replace('{}', 'kept') }} {%- endfor %}
{%- endmacro %}
{% macro fabric__delete_matching(target, fresh, keys, bound) -%}
    delete from {{ target }}
    where exists (select 1 from {{ fresh }} as fresh where {{ same_keys('fresh', target, keys) }})
    {%- for part in bound %} and {{ part.replace('{}', target | string) }} {%- endfor %}
{%- endmacro %}

{% macro same_keys(one, other, keys) -%}
  {%- for key in keys -%} {{ one }}.{{ key }} = {{ other }}.{{ key }} {%- if not loop.last %} and {% endif -%} {%- endfor -%}
{%- endmacro %}

{# Lexicographic comparison of columns: T-SQL cannot compare rows. #}
{% macro is_higher(one, other, columns) -%}
  (
  {%- for column in columns -%}
    {%- if not loop.first %} or {% endif -%}
    (
    {%- for earlier in columns[:loop.index0] -%} {{ one }}.{{ earlier }} = {{ other }}.{{ earlier }} and {% endfor -%}
    {{ one }}.{{ column }} > {{ other }}.{{ column }})
  {%- endfor -%}
  )
{%- endmacro %}
