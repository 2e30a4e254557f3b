{#
  JSON, parsed once a row on both engines. A list of fields says what is read:

    [name, path, type]                 name of the column, dotted path in the document, one of the types below
    [name, path, 'list', fields]       a list of objects, kept for explode() and sum_of()
    [name, path, 'map']                an object whose keys are data, kept for explode_map()
    [name, path, 'values']             a list of plain values, kept for explode_values()
    [name, path, 'time' or 'epoch', 'always']  of a staging model: never null. Money that moved counts, and if the record
                                       tells no time that can be, then on the day of its version, or of its ingestion

  Types: text, lower (lower-cased text), gid (number of a Shopify gid), money, divided (an object {amount, divisor}: whole
  units and how many make one), int, flag, time, epoch (seconds since 1970), date.

  DuckDB: one from_json() into a struct `doc`, lists typed and nested. 100,000 orders of 4.9 KB on 2 cores: all fields and
  lists 1.4 to 1.9 s; json_extract_string with a list of paths 1.0 s for the scalars alone and as much again for each
  list; one call per field 17 s. Synapse: one OPENJSON ... WITH, lists stay JSON text.
#}

{# Select-list item that holds the parsed document: use with json_apply() in the same select's from. #}
{% macro json_parse(payload, fields) -%} {{ return(adapter.dispatch('json_parse')(payload, fields)) }} {%- endmacro %}
{% macro duckdb__json_parse(payload, fields) -%}
  from_json({{ payload }}, '{{ tojson(json_structure(fields)) }}') as doc
{%- endmacro %}
{% macro fabric__json_parse(payload, fields) -%} doc.* {%- endmacro %}

{% macro json_apply(payload, fields) -%} {{ return(adapter.dispatch('json_apply')(payload, fields)) }} {%- endmacro %}
{% macro duckdb__json_apply(payload, fields) -%} {%- endmacro %}
{% macro fabric__json_apply(payload, fields) -%}
  cross apply openjson({{ payload }}) with ({{ openjson_columns(fields) }}) as doc
{%- endmacro %}

{# Typed columns of a parsed document; `row` is the alias of the relation that json_parse() or explode() made. #}
{% macro json_columns(row, fields) -%}
  {%- for field in fields %}
    {{ json_column(row, field) }} as {{ field[0] }} {{- ',' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{% macro json_column(row, field) -%}
  {%- set type = field[2] -%}
  {%- set text = json_text(row, field) | trim if type != 'divided' else '' -%}
  {%- if type in ('text', 'list', 'map', 'values') -%} {{ text }}
  {%- elif type == 'lower' -%} lower({{ text }})
  {%- elif type == 'gid' -%} {{ gid_tail(text) }}
  {%- elif type == 'money' -%} {{ to_money(text) }}
  {%- elif type == 'divided' -%}
    {%- set parts = divided_parts(field) -%}
    cast({{ quotient(to_money(json_text(row, parts[0])), to_money(json_text(row, parts[1]))) }} as {{ type_money() }})
  {%- elif type == 'int' -%} {{ to_int(text) }}
  {%- elif type == 'flag' -%} {{ to_flag(text) }}
  {%- elif type in ('time', 'epoch') -%}
    {%- set time = to_time(text) if type == 'time' else to_epoch(text) -%}
    {%- if field[3:] == ['always'] -%} coalesce({{ time }}, {{ row }}.source_updated_at, {{ row }}.ingested_at)
    {%- else -%} {{ time }}
    {%- endif -%}
  {%- elif type == 'date' -%} {{ to_date(text) }}
  {%- else -%} {%- do exceptions.raise_compiler_error("No such field type: " ~ type) -%}
  {%- endif -%}
{%- endmacro %}

{# The two texts that a divided field is read from. #}
{% macro divided_parts(field) -%}
  {{- return([
    [field[0] ~ '__amount', field[1] ~ '.amount', 'text'], [field[0] ~ '__divisor', field[1] ~ '.divisor', 'text'],
  ]) -}}
{%- endmacro %}

{# The fields as they stand in the document. #}
{% macro json_fields(fields) -%}
  {%- set found = [] -%}
  {%- for field in fields -%}
    {%- do found.extend(divided_parts(field) if field[2] == 'divided' else [field]) -%}
  {%- endfor -%}
  {{- return(found) -}}
{%- endmacro %}

{% macro json_text(row, field) -%} {{ return(adapter.dispatch('json_text')(row, field)) }} {%- endmacro %}
{% macro duckdb__json_text(row, field) -%} {{ row }}.doc."{{ field[1].split('.') | join('"."') }}" {%- endmacro %}
{% macro fabric__json_text(row, field) -%} {{ row }}.{{ field[0] }} {%- endmacro %}

{#
  A select with a row for each element of a list column: the parent's columns (each may be renamed: 'a as b'), then the
  element's fields.

  On DuckDB unnest() stands in the select list: as `cross join unnest(...)` it is planned as a join that groups by the whole
  list, and a filter on the parent's columns does not reach the scan.
#}
{% macro explode(relation, column, parent_columns, fields) -%}
  {{ return(adapter.dispatch('explode')(relation, column, parent_columns, fields)) }}
{%- endmacro %}
{% macro duckdb__explode(relation, column, parent_columns, fields) -%}
select
    {%- for parent in parent_columns %}
    element.{{ parent.split(' as ')[-1] }},
    {%- endfor %}
    {{- json_columns('element', fields) }}
from (
    select
        {%- for parent in parent_columns %}
        parent.{{ parent }},
        {%- endfor %}
        unnest(parent.{{ column }}) as doc
    from {{ relation }} as parent
) as element
{%- endmacro %}
{% macro fabric__explode(relation, column, parent_columns, fields) -%}
select
    {%- for parent in parent_columns %}
    parent.{{ parent }},
    {%- endfor %}
    {{- json_columns('element', fields) }}
from {{ relation }} as parent
cross apply openjson(parent.{{ column }}) with ({{ openjson_columns(fields) }}) as element
{%- endmacro %}

{# A select with a row for each entry of a map column: the parent's columns, then the entry's key and value as text. #}
{% macro explode_map(relation, column, parent_columns, key, value) -%}
  {{ return(adapter.dispatch('explode_map')(relation, column, parent_columns, key, value)) }}
{%- endmacro %}
{% macro duckdb__explode_map(relation, column, parent_columns, key, value) -%}
select
    {%- for parent in parent_columns %}
    entry.{{ parent.split(' as ')[-1] }},
    {%- endfor %}
    entry.doc."key" as {{ key }},
    entry.doc."value" as {{ value }}
from (
    select
        {%- for parent in parent_columns %}
        parent.{{ parent }},
        {%- endfor %}
        unnest(map_entries(parent.{{ column }})) as doc
    from {{ relation }} as parent
) as entry
{%- endmacro %}
{% macro fabric__explode_map(relation, column, parent_columns, key, value) -%}
select
    {%- for parent in parent_columns %}
    parent.{{ parent }},
    {%- endfor %}
    entry.[key] as {{ key }},
    entry.[value] as {{ value }}
from {{ relation }} as parent
cross apply openjson(parent.{{ column }}) as entry
{%- endmacro %}

{# A select with a row for each value of a column of plain values: the parent's columns, then the value as text. #}
{% macro explode_values(relation, column, parent_columns, value) -%}
  {{ return(adapter.dispatch('explode_values')(relation, column, parent_columns, value)) }}
{%- endmacro %}
{% macro duckdb__explode_values(relation, column, parent_columns, value) -%}
select
    {%- for parent in parent_columns %}
    parent.{{ parent }},
    {%- endfor %}
    unnest(parent.{{ column }}) as {{ value }}
from {{ relation }} as parent
{%- endmacro %}
{% macro fabric__explode_values(relation, column, parent_columns, value) -%}
select
    {%- for parent in parent_columns %}
    parent.{{ parent }},
    {%- endfor %}
    entry.[value] as {{ value }}
from {{ relation }} as parent
cross apply openjson(parent.{{ column }}) as entry
{%- endmacro %}

{# Sum of a money path over a list column, 0 for an empty or missing list. #}
{% macro sum_of(column, path) -%} {{ return(adapter.dispatch('sum_of')(column, path)) }} {%- endmacro %}
{% macro duckdb__sum_of(column, path) -%}
  cast(coalesce(list_sum(list_transform(
    {{ column }}, lambda element: {{ to_money('element."' ~ path.split('.') | join('"."') ~ '"') }}
  )), 0) as {{ type_money() }})
{%- endmacro %}
{% macro fabric__sum_of(column, path) -%}
  cast(coalesce((
    select sum({{ to_money("json_value(element.[value], '$." ~ path ~ "')") }}) from openjson({{ column }}) as element
  ), 0) as {{ type_money() }})
{%- endmacro %}

{# A path in the first element of a list column, as text. #}
{% macro first_of(column, path) -%} {{ return(adapter.dispatch('first_of')(column, path)) }} {%- endmacro %}
{% macro duckdb__first_of(column, path) -%} {{ column }}[1]."{{ path.split('.') | join('"."') }}" {%- endmacro %}
{% macro fabric__first_of(column, path) -%} json_value({{ column }}, '$[0].{{ path }}') {%- endmacro %}

{# In an element of a list column whose `key` path is `wanted`, the text at the `value` path. #}
{% macro value_where(column, key, wanted, value) -%} {{ return(adapter.dispatch('value_where')(column, key, wanted, value)) }} {%- endmacro %}
{% macro duckdb__value_where(column, key, wanted, value) -%}
  list_filter({{ column }}, lambda element: element."{{ key }}" = '{{ wanted }}')[1]."{{ value }}"
{%- endmacro %}
{% macro fabric__value_where(column, key, wanted, value) -%}
  (
    select min(json_value(element.[value], '$.{{ value }}'))
    from openjson({{ column }}) as element
    where json_value(element.[value], '$.{{ key }}') = '{{ wanted }}'
  )
{%- endmacro %}

{# The fields as DuckDB's JSON structure: nested dictionaries of VARCHAR. #}
{% macro json_structure(fields) %}
  {%- set root = {} -%}
  {%- for field in json_fields(fields) -%}
    {%- set parts = field[1].split('.') -%}
    {%- set at = namespace(node=root) -%}
    {%- for part in parts[:-1] -%}
      {%- if part not in at.node -%} {%- do at.node.update({part: {}}) -%} {%- endif -%}
      {%- set at.node = at.node[part] -%}
    {%- endfor -%}
    {%- if field[2] == 'list' -%} {%- set leaf = [json_structure(field[3])] -%}
    {%- elif field[2] == 'map' -%} {%- set leaf = 'MAP(VARCHAR, VARCHAR)' -%}
    {%- elif field[2] == 'values' -%} {%- set leaf = ['VARCHAR'] -%}
    {%- else -%} {%- set leaf = 'VARCHAR' -%}
    {%- endif -%}
    {%- do at.node.update({parts[-1]: leaf}) -%}
  {%- endfor -%}
  {{- return(root) -}}
{% endmacro %}

{# The fields as the columns of OPENJSON ... WITH. #}
{% macro openjson_columns(fields) -%}
  {%- for field in json_fields(fields) -%}
    {{ field[0] }} {{ "nvarchar(max) '$." ~ field[1] ~ "' as json" if field[2] in ('list', 'map', 'values') else "nvarchar(4000) '$." ~ field[1] ~ "'" }}
    {{- ', ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}
