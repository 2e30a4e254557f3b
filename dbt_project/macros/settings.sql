{# Project-wide behaviour: schema names, and the settings that the environment may override. #}

{% macro generate_schema_name(custom_schema_name, node) -%}
  {#- Schemas are exactly bronze, silver, gold and quarantine on every target: readers rely on the names. -#}
  {{- (custom_schema_name or target.schema) | trim -}}
{%- endmacro %}

{% macro reporting_currency() -%}
  {{- return(env_var('RETREASURE_REPORTING_CURRENCY', var('reporting_currency'))) -}}
{%- endmacro %}

{% macro business_timezone() -%}
  {{- return(env_var('RETREASURE_BUSINESS_TIMEZONE', var('business_timezone'))) -}}
{%- endmacro %}
