{{ config(unique_key='natural_key') }}

{{ stage('geo_delivery_zones', [
    ['rule_id', 'rule_id', 'text'],
    ['carrier', 'carrier', 'text'],
    ['ship_from_country', 'ship_from_country', 'text'],
    ['ship_from_prefix', 'ship_from_prefix', 'text'],
    ['country', 'country', 'text'],
    ['postcode_prefix', 'postcode_prefix', 'text'],
    ['zone', 'zone', 'text'],
    ['valid_from', 'valid_from', 'date'],
    ['stated_valid_to', 'valid_to', 'date'],
]) }}
