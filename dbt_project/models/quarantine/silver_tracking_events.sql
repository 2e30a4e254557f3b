{#- What was told of parcels but cannot be used, with the reasons: no number, no time, or a status nobody knows. -#}

{{ rows_that_break_a_rule(ref('int_tracking_events'), [
    'event_id', 'tracking_number', 'carrier', 'occurred_at', 'provider', 'provider_status', 'provider_detail',
]) }}
