{{ config(materialized='view') }}
{#- What happened to parcels: the good rows; quarantine.silver_tracking_events has the others. -#}

{{ rows_that_keep_the_rules(ref('int_tracking_events'), [
    'event_id', 'tracking_number', 'carrier', 'occurred_at', 'status', 'status_rank', 'is_scan', 'provider',
    'provider_status', 'provider_detail', 'country', 'region', 'postcode_area',
]) }}
