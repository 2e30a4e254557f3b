{%- set touched = gold_touched_listings() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_listings(), ['channel', 'listing_id']]]) }}"
) }}

select
    {{ hash_key(['listings.channel', 'listings.listing_id', 'listings.valid_from']) }} as listing_version_id,
    listings.channel,
    listings.listing_id,
    listings.item_id,
    listings.title,
    listings.state,
    listings.currency,
    listings.price_amount,
    listings.quantity,
    listings.valid_from,
    listings.valid_to,
    listings.is_current,
    {{ built_at() }} as built_at
from {{ ref('listings') }} as listings
{% if is_incremental() %}
inner join (
    {{ touched }}
) as touched on touched.channel = listings.channel and touched.listing_id = listings.listing_id
{% endif %}
