{#
  The margin scheme for second-hand goods: VAT is due on the margin alone, at margin / `margin_scheme_divisor` (UK: 6, that
  is 20/120). Settings are dbt variables, so that another country's rate is no change of code.
#}
{% macro margin_scheme_divisor() -%} {{- return(var('margin_scheme_divisor')) -}} {%- endmacro %}

{# Kinds of cost that are part of the purchase price; repairs, freight and other overheads are not. #}
{% macro margin_purchase_kinds() -%} ('{{ var('margin_scheme_purchase_kinds') | join("', '") }}') {%- endmacro %}

{# Whether a sale is in the scheme: second-hand, its purchase price known, and no VAT of its own charged. #}
{% macro in_margin_scheme(condition, purchase_price, tax_amount) -%}
lower(coalesce({{ condition }}, '')) <> 'new' and {{ purchase_price }} is not null and coalesce({{ tax_amount }}, 0) = 0
{%- endmacro %}

{# VAT due on a margin; a loss earns none back. #}
{% macro margin_scheme_vat(margin) -%}
case when {{ margin }} > 0 then {{ quotient(margin, margin_scheme_divisor(), 4) }} when {{ margin }} <= 0 then 0 end
{%- endmacro %}
