{#- Money movements that break a rule, with the reasons; their orders are not kept out for it. -#}

{{ rows_that_break_a_rule(ref('int_payments'), payment_columns()) }}
