{# What an incremental model needs to read only what is new: the build's stamp, watermarks and bounds, all as literals. #}

{# True in the incremental branch. Overrides dbt's own so that both branches compile without a server (var compile_branch). #}
{% macro is_incremental() %}
  {% set branch = var('compile_branch', '') %}
  {% if branch %}
    {{ return(branch == 'incremental' and model.config.materialized == 'incremental') }}
  {% endif %}
  {#- A unit test has no relation of its own: it tests the full branch. -#}
  {{ return(this is not none and dbt.is_incremental()) }}
{% endmacro %}

{# The stamp of this build: when the dbt invocation started. One value for every row that it writes. #}
{% macro built_at() -%} {{ time_literal(run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f')) }} {%- endmacro %}

{# Whether a query may be sent now: not while parsing, and not when compiling offline. #}
{% macro may_query() -%} {{ return(execute and not var('compile_branch', '')) }} {%- endmacro %}

{#
  When this model was last built, as a literal time: read what was built after it. 1900-01-01 where the model is built anew.
#}
{% macro watermark() -%}
  {%- set last_built = none -%}
  {%- if is_incremental() -%}
    {%- set last_built = extreme(
      'max', 'built_at', model_builds(), "model = '" ~ this.schema ~ '.' ~ this.identifier ~ "'"
    ) or extreme('max', 'built_at', this, none) -%}
  {%- endif -%}
  {{ time_literal(last_built or '1900-01-01 00:00:00.000000') }}
{%- endmacro %}

{#
  The lowest `column` among `relation`'s rows that satisfy `where`, as a literal time, less `slack_days`; far in the
  future where there is no such row (nothing to read). Bounds a look-up in another table to the days that the new rows
  touch; without it every run would read the whole history.
#}
{% macro earliest(relation, column, where, slack_days=0) -%}
  {%- set value = extreme('min', column, relation, where, slack_days) -%}
  {{ time_literal(value or '2999-01-01 00:00:00.000000') }}
{%- endmacro %}

{# The same for a date column, as a literal date. #}
{% macro earliest_date(relation, column, where, slack_days=0) -%}
  {{ date_literal((extreme('min', column, relation, where, slack_days) or '2999-01-01')[:10]) }}
{%- endmacro %}

{# The highest `column` of a relation, as a literal date; long ago where it has no row. #}
{% macro latest_date(relation, column) -%}
  {{ date_literal((extreme('max', column, relation, none) or '1900-01-01')[:10]) }}
{%- endmacro %}

{#
  ISO text of min or max of a date or time column, None when there is no row or nothing may be asked. The answer is kept for
  the rest of the model's compilation: the same bound is needed at several places of a model.
#}
{% macro extreme(function, column, relation, where, slack_days=0) -%}
  {%- if not may_query() -%}
    {{- return(none) -}}
  {%- endif -%}
  {%- set question = 'select ' ~ iso_text(function ~ '(' ~ column ~ ')') ~ ' as value from ' ~ relation
    ~ ((' where ' ~ where) if where else '') -%}
  {%- set answers = model.setdefault('answers', {}) if model is defined else {} -%}
  {%- if question not in answers -%}
    {%- do answers.update({question: run_query(question).columns[0].values()[0]}) -%}
  {%- endif -%}
  {%- set value = answers[question] -%}
  {%- if value is none -%}
    {{- return(none) -}}
  {%- endif -%}
  {%- if slack_days -%}
    {%- set moment = modules.datetime.datetime.fromisoformat(value) - modules.datetime.timedelta(days=slack_days) -%}
    {{- return(moment.strftime('%Y-%m-%d %H:%M:%S.%f')) -}}
  {%- endif -%}
  {{- return(value) -}}
{%- endmacro %}
