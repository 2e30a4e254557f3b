{{ config(materialized='view') }}
{#- The refunds that obey the rules; quarantine.silver_refunds has the others. -#}

{{ rows_that_keep_the_rules(ref('int_refunds'), refund_columns()) }}
