{#
  When each model was last built: silver.model_builds, one row a model and build. A model's newest row is no measure of it:
  a build that found nothing new writes none, and a model that seldom has rows (refunds) would read its whole input again
  and again.
#}

{% macro model_builds() -%}
  {{- return(api.Relation.create(database=target.database, schema='silver', identifier='model_builds')) -}}
{%- endmacro %}

{# on-run-start: the table, and a guard against a clock that was set back (what is new would look old and be passed over). #}
{% macro open_ledger() %}
  {%- if execute and not var('compile_branch', '') and flags.WHICH in ('build', 'run', 'test', 'retry') -%}
    {%- do adapter.create_schema(model_builds()) -%}
    {%- do run_query(adapter.dispatch('create_ledger')(model_builds())) -%}
    {%- set answer = run_query('select ' ~ iso_text('max(built_at)') ~ ' as value from ' ~ model_builds()) -%}
    {%- set newest = answer.columns[0].values()[0] -%}
    {%- if newest and newest > run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') -%}
      {%- do exceptions.raise_compiler_error(
        'The clock is behind the last build (' ~ newest ~ ' UTC). Set it right, or wait until that time has passed.') -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}
{% macro duckdb__create_ledger(relation) -%}
  create table if not exists {{ relation }} (model varchar, built_at timestamptz)
{%- endmacro %}
{% macro fabric__create_ledger(relation) -%}
  if object_id('{{ relation }}', 'U') is null
    create table {{ relation }} (model varchar(200), built_at datetime2(6)) with (distribution = round_robin, heap)
{%- endmacro %}

{# Post-hook of every model: in its transaction, so that a build that fails is not in the ledger. #}
{% macro record_build() -%}
  {%- if model.config.materialized == 'incremental' -%}
    insert into {{ model_builds() }} (model, built_at) values ('{{ this.schema }}.{{ this.identifier }}', {{ built_at() }})
  {%- endif -%}
{%- endmacro %}

{# on-run-end: only the newest rows are of use. #}
{% macro trim_ledger() %}
  {%- if execute and not var('compile_branch', '') and flags.WHICH in ('build', 'run', 'retry') -%}
    {%- do run_query(
      'delete from ' ~ model_builds() ~ ' where exists (select 1 from ' ~ model_builds() ~ ' as later where later.model = '
      ~ 'model_builds.model and later.built_at > model_builds.built_at)') -%}
  {%- endif -%}
{% endmacro %}
