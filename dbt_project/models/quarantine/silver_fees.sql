{#- Fees that break a rule, with the reasons. -#}

{{ rows_that_break_a_rule(ref('int_fees'), fee_columns()) }}
    and {{ is_false('is_superseded') }}
