{#
  What a fee is for, by the channel's own word for it: outbound_shipping (labels), advertising, payment_processing,
  suspense (a kind that nobody knows yet) or channel_fees (everything else).
#}
{% macro fee_group(fee_type) -%}
case
    when {{ fee_type }} = 'suspense' then 'suspense'
    when {{ fee_type }} like 'shipping_label%'
        or {{ fee_type }} in ('shipping_other_carrier_charge_adjustment', 'shipping_return_to_origin_adjustment')
        then 'outbound_shipping'
    when {{ fee_type }} in ('ad_fee', 'premium_ad_fees', 'prolist', 'etsy_ads')
        or {{ fee_type }} like 'offsite_ads_fee%' or {{ fee_type }} like 'shop_cash_campaign%'
        then 'advertising'
    when {{ fee_type }} like 'processing_fee%' then 'payment_processing'
    else 'channel_fees'
end
{%- endmacro %}
