{# The data test that gold needs beside the project's others (tests.sql). #}

{#
  An amount of each row equals the sum of `to_expression` over the rows of `to` (named rows_to) with the same keys; a
  null amount (no rate) is not compared. `tolerance` is SQL and may use aggregates over rows_to.
#}
{% test gold_sums_agree(model, keys, expression, to, to_expression, tolerance='0', to_condition='1 = 1') %}
select
    {% for key in keys %}rows_from.{{ key }},
    {% endfor -%}
    rows_from.amount,
    sum({{ to_expression }}) as other_amount
from (
    select {{ keys | join(', ') }}, {{ expression }} as amount
    from {{ model }}
) as rows_from
left join {{ to }} as rows_to
    on {% for key in keys %}rows_to.{{ key }} = rows_from.{{ key }} and {% endfor %}{{ to_condition }}
where rows_from.amount is not null
group by {% for key in keys %}rows_from.{{ key }}, {% endfor %}rows_from.amount
having abs(rows_from.amount - coalesce(sum({{ to_expression }}), 0)) > {{ tolerance }}
{% endtest %}
