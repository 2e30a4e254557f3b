{# Text where the engines differ. #}

{# Texts joined; a null counts as ''. Both engines' concat() does so; `||` and `+` would give null. #}
{% macro join_text(parts) -%} concat({{ parts | join(', ') }}) {%- endmacro %}

{# A stable 32-digit hex key of some columns. Null and '' differ; the separator cannot be in a key. #}
{% macro hash_key(columns) -%}
  {%- set parts = [] -%}
  {%- for column in columns -%}
    {%- do parts.append("coalesce(cast(" ~ column ~ " as " ~ type_text(400) ~ "), '~')") -%}
    {%- if not loop.last -%} {%- do parts.append("'|'") -%} {%- endif -%}
  {%- endfor -%}
  {{ return(adapter.dispatch('md5_hex')(parts[0] if parts | length == 1 else join_text(parts))) }}
{%- endmacro %}
{% macro duckdb__md5_hex(text) -%} md5({{ text }}) {%- endmacro %}
{% macro fabric__md5_hex(text) -%} lower(convert(varchar(32), hashbytes('MD5', cast({{ text }} as varchar(8000))), 2)) {%- endmacro %}

{# What follows the last '/': the number of a Shopify gid ("gid://shopify/LineItem/123" -> "123"). #}
{% macro gid_tail(text) -%} {{ return(adapter.dispatch('gid_tail')(text)) }} {%- endmacro %}
{% macro duckdb__gid_tail(text) -%} split_part({{ text }}, '/', -1) {%- endmacro %}
{% macro fabric__gid_tail(text) -%}
  right({{ text }}, charindex('/', reverse(concat('/', {{ text }}))) - 1)
{%- endmacro %}

{# The part of `text` before the first `separator`; the whole text where there is none. #}
{% macro text_before(text, separator) -%} {{ return(adapter.dispatch('text_before')(text, separator)) }} {%- endmacro %}
{% macro duckdb__text_before(text, separator) -%} split_part({{ text }}, '{{ separator }}', 1) {%- endmacro %}
{% macro fabric__text_before(text, separator) -%}
  left({{ text }}, charindex('{{ separator }}', concat({{ text }}, '{{ separator }}')) - 1)
{%- endmacro %}

{% macro text_length(text) -%} {{ return(adapter.dispatch('text_length')(text)) }} {%- endmacro %}
{% macro duckdb__text_length(text) -%} length({{ text }}) {%- endmacro %}
{% macro fabric__text_length(text) -%} len({{ text }}) {%- endmacro %}

{# Distinct values of a group in one text, in order. Write distinct rows into the group: T-SQL has no string_agg(distinct). #}
{% macro comma_list(text) -%} {{ return(adapter.dispatch('comma_list')(text)) }} {%- endmacro %}
{% macro duckdb__comma_list(text) -%} string_agg({{ text }}, ',' order by {{ text }}) {%- endmacro %}
{% macro fabric__comma_list(text) -%} string_agg({{ text }}, ',') within group (order by {{ text }}) {%- endmacro %}

