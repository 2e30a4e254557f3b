{{ config(materialized='view') }}
{#- The fees that obey the rules and that no better source tells; quarantine.silver_fees has those that break one. -#}

{{ rows_that_keep_the_rules(ref('int_fees'), fee_columns()) }}
    and {{ is_false('is_superseded') }}
