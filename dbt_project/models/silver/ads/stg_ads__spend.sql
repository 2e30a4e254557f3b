{{ config(
    unique_key='natural_key',
    meta={'bound_by': 'spend_date', 'bound_slack_days': 0, 'version_by': ['version_at', 'ingested_at', 'record_id']}
) }}

{{ stage('ads_spend', [
    ['spend_date', 'date', 'date'],
    ['platform', 'platform', 'lower'],
    ['campaign', 'campaign', 'lower'],
    ['currency', 'currency', 'text'],
    ['spend_amount', 'spend', 'money'],
    ['impressions', 'impressions', 'int'],
    ['clicks', 'clicks', 'int'],
    ['reported_at', 'reported_at', 'time'],
]) }}
