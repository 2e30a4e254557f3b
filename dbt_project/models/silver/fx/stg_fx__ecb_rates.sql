{{ config(meta={'bound_by': 'rate_date', 'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}

{{ stage('fx_ecb_rates', [
    ['rate_date', 'date', 'date'],
    ['base', 'base', 'text'],
    ['rates', 'rates', 'map'],
]) }}
