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

{# Where parcels leave from, as [country, postcode area]; empty texts where RETREASURE_SHIP_FROM ("IE T12") is not set. #}
{% macro ship_from() -%}
  {%- set parts = (env_var('RETREASURE_SHIP_FROM', '') ~ ' ').split(' ') -%}
  {{- return([parts[0], parts[1]]) -}}
{%- endmacro %}
