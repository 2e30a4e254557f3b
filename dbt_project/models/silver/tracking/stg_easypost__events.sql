{{ config(unique_key='record_id', meta={'bound_by': 'version_at', 'bound_slack_days': 0}) }}
{#- Every version: a later one may have lost a scan, or tell of one that happened earlier. -#}

{{ stage('easypost_events', easypost_tracker_fields(), keep='every') }}
