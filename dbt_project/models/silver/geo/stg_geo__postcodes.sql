{{ config(unique_key='natural_key') }}

{{ stage('geo_postcodes', [
    ['country_stated', 'country', 'text'],
    ['postcode_area', 'postcode_area', 'text'],
    ['latitude_text', 'latitude', 'text'],
    ['longitude_text', 'longitude', 'text'],
    ['region_stated', 'region', 'text'],
]) }}
