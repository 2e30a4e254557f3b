{{ config(
    unique_key='natural_key',
    meta={'bound_by': 'stated_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}
) }}

{{ stage('clickstream_events', clickstream_fields()) }}
