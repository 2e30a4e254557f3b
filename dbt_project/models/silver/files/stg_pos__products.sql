{{ config(unique_key='record_id') }}
{#- Every version, as a catalogue file states no time of change: the time it was read stands in for it. -#}

{{ stage('pos_products', [
    ['item_id', 'item_id', 'text'],
    ['title', 'title', 'text'],
    ['category', 'category', 'text'],
    ['era', 'era', 'text'],
    ['maker', 'maker', 'text'],
    ['material', 'material', 'text'],
    ['condition', 'condition', 'text'],
    ['acquisition_cost', 'acquisition_cost', 'money'],
    ['currency', 'currency', 'text'],
    ['listed_at', 'listed_at', 'time'],
    ['price', 'price', 'money'],
], keep='every') }}
