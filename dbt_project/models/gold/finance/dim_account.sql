{{ config(materialized='table') }}

{# The accounts that rpt_journal posts to, under the codes and names of the business's own books (variable `accounts`). #}
{%- for account, known in var('accounts').items() %}
select
    cast('{{ account }}' as {{ type_text(50) }}) as account,
    cast('{{ known[0] }}' as {{ type_text(50) }}) as account_code,
    cast('{{ known[1] | replace("'", "''") }}' as {{ type_text(200) }}) as account_name,
    cast('{{ known[2] }}' as {{ type_text(20) }}) as account_kind,
    {{ built_at() }} as built_at
{{ "union all" if not loop.last }}
{%- endfor %}
