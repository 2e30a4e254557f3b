{#
  Persons who turned out to be one. The vault may learn it long after their records came in, and bronze keeps the id that
  each record came in with. ops.vault_links says which id a person has now; it holds ids only, nothing of who they are, and
  is written before each build (lake/person_links.py).

  Staging takes over the id that holds now. A link that came later is a change of every staged record of that person: their
  rows get the other id and this build's stamp, and all that reads them follows as after any change.

  Once the vault has forgotten a person, their links are gone: each of those who were one is merged into themselves then, and
  their rows get the ids back that the records came in with. That takes a look into all of bronze, and happens seldom.
#}

{% macro vault_links() -%}
  {{- return(api.Relation.create(database=target.database, schema='ops', identifier='vault_links')) -}}
{%- endmacro %}

{#
  on-run-start. In DuckDB: the table, where nobody has written it. Synapse reads the one in the lake, whatever its present
  version says.
#}
{% macro open_vault_links() %}
  {%- if execute and not var('compile_branch', '') and flags.WHICH in ('build', 'run', 'test', 'retry') -%}
    {%- do adapter.create_schema(vault_links()) -%}
    {%- do run_query(create_vault_links(vault_links())) -%}
  {%- endif -%}
{% endmacro %}
{% macro create_vault_links(relation) -%} {{ return(adapter.dispatch('create_vault_links')(relation)) }} {%- endmacro %}
{% macro duckdb__create_vault_links(relation) -%}
  create table if not exists {{ relation }} (person_id varchar, merged_into varchar, linked_at timestamptz)
{%- endmacro %}
{% macro fabric__create_vault_links(relation) -%}
  if object_id('{{ relation.schema }}.{{ relation.identifier }}') is null
    exec('
      create view {{ relation.schema }}.{{ relation.identifier }} as
      select links.person_id, links.merged_into, links.linked_at
      from openrowset(
          bulk ''{{ env_var("RETREASURE_LAKE_URL", "https://offline.dfs.core.windows.net/lake") }}/ops/vault_links'',
          format = ''delta''
      ) with (person_id varchar(64), merged_into varchar(64), linked_at datetime2(6)) as links
    ')
{%- endmacro %}

{# The persons whom the vault has linked to others since the calling model was built. Each person has one row. #}
{% macro newly_linked() -%}
select links.person_id
from {{ vault_links() }} as links
where links.linked_at > {{ watermark() }}
{%- endmacro %}

{% macro has_newly_linked(condition='1 = 1') -%}
  {{- return(extreme('max', 'linked_at', vault_links(), condition ~ ' and linked_at > ' ~ watermark()) is not none) -}}
{%- endmacro %}

{#
  Pre-hook of silver: staged records, and orders, of a newly linked person are those of the person who holds now. Orders have
  no record of their own: those of persons who are apart again follow from the staged ones.
#}
{% macro follow_links() -%}
{%- if is_incremental() and (this.identifier.startswith('stg_') or this.identifier == 'orders') and has_newly_linked() -%}
{%- set columns = adapter.get_columns_in_relation(this) | map(attribute='name') | map('lower') | list -%}
{%- if 'person_id' in columns -%}
{%- set is_parted = this.identifier.startswith('stg_') and has_newly_linked('person_id = merged_into') -%}
update {{ this }}
set
    {%- if is_parted %}
    person_id = (
        select {{ named_person('coalesce(links.merged_into, bronze.person_id)') }}
        from {{ source(*model.sources[0]) }} as bronze
        left join {{ vault_links() }} as links on links.person_id = bronze.person_id
        where bronze.record_id = {{ this }}.record_id and bronze.ingested_at = {{ this }}.ingested_at
    ),
    {%- else %}
    person_id = (
        select links.merged_into
        from {{ vault_links() }} as links
        where links.person_id = {{ this }}.person_id
    ),
    {%- endif %}
    built_at = {{ built_at() }}
where {{ this }}.person_id in (
    {{ newly_linked() }}
    {%- if not this.identifier.startswith('stg_') %} and links.person_id <> links.merged_into {%- endif %}
)
{%- endif -%}
{%- endif -%}
{%- endmacro %}

{# Pre-hook of a table of persons: who is somebody else now has no row of their own. #}
{% macro forget_linked() -%}
{%- if is_incremental() and has_newly_linked() -%}
delete from {{ this }}
where person_id in ({{ newly_linked() }})
{%- endif -%}
{%- endmacro %}
