{{ config(materialized='view') }}
{#- The money movements that obey the rules; quarantine.silver_payments has the others. -#}

{{ rows_that_keep_the_rules(ref('int_payments'), payment_columns()) }}
