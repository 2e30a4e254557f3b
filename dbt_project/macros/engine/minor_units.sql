{#
  Amounts that a source states as whole numbers of the currency's smallest unit, as money: 1050 EUR cents are 10.50, 1050
  JPY are 1050. Currencies without a smaller unit, or with a thousandth, after ISO 4217.
#}
{% macro from_minor(amount, currency) -%}
  cast({{ amount }} * case
    when {{ currency }} in (
      'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
    ) then cast(1 as decimal(4, 3))
    when {{ currency }} in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then cast(0.001 as decimal(4, 3))
    else cast(0.01 as decimal(4, 3))
  end as {{ type_money() }})
{%- endmacro %}
