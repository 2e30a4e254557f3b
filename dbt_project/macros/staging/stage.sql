{#
  A staging model: bronze records typed, once each.

  Args:
    bronze: name of the bronze table.
    fields: what is read out of the payload: see macros/engine/json.sql.
    keep: 'latest' for one row per natural key (the highest source_updated_at, then the last ingested, then record_id),
      'every' for one row per record, 'states' for one per record and ingestion: a state that came back counts again.

  Besides the fields: natural_key, record_id, person_id (whose it is now: person_links.sql), source_updated_at, version_at
  (source_updated_at, or 1970 where the source has none: never null, to compare versions by), ingested_at, built_at.

  What is outdated is found over the narrow columns, among the keys that occur more than once, and is not parsed: sorting
  or grouping the payload's text costs more than parsing it. 1.47 million till lines, CPU s: ranking every key and joining
  the winners 1.25, this 0.4, parsing 1.9.
#}
{% macro stage(bronze, fields, keep='latest') %}
with {{ staging_steps(bronze, fields, keep) }}

select
    {{- staged_columns(fields) }}
from parsed
{% endmacro %}

{# The steps of stage(), the last of them `parsed`, for a model that adds columns of its own. #}
{% macro staging_steps(bronze, fields, keep='latest') %}
{%- set relation = source('bronze', bronze) -%}
{%- set key = 'natural_key' if keep == 'latest' else 'record_id' -%}
{%- if keep != 'states' -%}
repeated as (
    select {{ key }}
    from {{ relation }}
    where {{ new_in_bronze() }}
    group by {{ key }}
    having count(*) > 1
),

ranked as (
    select
        record_id,
        ingested_at,
        row_number() over (
            partition by {{ key }}
            order by {{ version_at('source_updated_at') }} desc, ingested_at desc, record_id desc
        ) as version_rank
    from {{ relation }}
    where {{ new_in_bronze() }}
        and {{ key }} in (select repeated.{{ key }} from repeated)
),

outdated as (
    select ranked.record_id, ranked.ingested_at
    from ranked
    group by ranked.record_id, ranked.ingested_at
    having min(ranked.version_rank) > 1
),

{% endif -%}
parsed as (
    select
        bronze.natural_key,
        bronze.record_id,
        {{ named_person('coalesce(links.merged_into, bronze.person_id)') }} as person_id,
        bronze.source_updated_at,
        bronze.ingested_at,
        {{ json_parse('bronze.payload', fields) }}
    from {{ relation }} as bronze
    left join {{ vault_links() }} as links on links.person_id = bronze.person_id
    {{ json_apply('bronze.payload', fields) }}
    where {{ new_in_bronze('bronze.') }}
    {%- if keep != 'states' %}
        and not exists (
            select 1
            from outdated
            where outdated.record_id = bronze.record_id and outdated.ingested_at = bronze.ingested_at
        )
    {%- endif %}
)
{%- endmacro %}

{# The columns of a staging model, of `parsed`. #}
{% macro staged_columns(fields) %}
    {{- json_columns('parsed', fields) }},
    parsed.natural_key,
    parsed.record_id,
    parsed.person_id,
    parsed.source_updated_at,
    {{ version_at('parsed.source_updated_at') }} as version_at,
    parsed.ingested_at,
    {{ built_at() }} as built_at
{%- endmacro %}

{# The person, where some identity names one: an id with r_ is the unnamed subject of a single record, no customer. #}
{% macro named_person(column) -%}
  case when substring({{ column }}, 1, 2) = 'p_' then {{ column }} end
{%- endmacro %}

{# A version that is never null. #}
{% macro version_at(column) -%}
  coalesce({{ column }}, {{ no_version() }})
{%- endmacro %}

{# Since when a version counts: one whose source does not say when it was made, from the moment it was seen. #}
{% macro seen_at() -%} case when version_at > {{ no_version() }} then version_at else ingested_at end {%- endmacro %}

{% macro no_version() -%} {{ time_literal('1970-01-01 00:00:00.000000') }} {%- endmacro %}

{# The bronze records that this staging model has not seen: ingested_at grows from batch to batch, ingest_date is the partition. #}
{% macro new_in_bronze(prefix='') -%}
  {%- if is_incremental() -%}
    {%- set seen = extreme('max', 'ingested_at', this, none) or '1900-01-01 00:00:00.000000' -%}
    {{ prefix }}ingested_at > {{ time_literal(seen) }} and {{ prefix }}ingest_date >= {{ date_literal(seen[:10]) }}
  {%- else -%}
    {{ prefix }}ingested_at is not null
  {%- endif -%}
{%- endmacro %}
