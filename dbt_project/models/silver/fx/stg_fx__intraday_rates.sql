{{ config(unique_key='record_id', meta={'bound_by': 'rate_ts'}, index='HEAP') }}

{{ stage('fx_intraday_rates', [
    ['base', 'base', 'text'],
    ['rate_ts', 'timestamp', 'time'],
    ['provider', 'provider', 'text'],
    ['rates', 'rates', 'map'],
], keep='every') }}
