{#-
  In = staged + superseded: every record of the newest day that staging has seen is staged, or a newer version of the same
  natural key is. (Received = new + duplicates + quarantined is bronze's own check, records_balance; that orders and lines
  are good or quarantined have tests of their own; gold_has_every_row_of_silver is the last leg.)
-#}
{{ config(meta={'dagster': {'ref': {'name': 'stg_shopify__orders'}}}) }}
{%- set staged = [
    ['stg_ads__spend', 'ads_spend', 'natural_key'],
    ['stg_clickstream__events', 'clickstream_events', 'natural_key'],
    ['stg_ebay__fulfillments', 'ebay_fulfillments', 'natural_key'],
    ['stg_ebay__inventory_items', 'ebay_inventory_items', 'natural_key'],
    ['stg_ebay__offers', 'ebay_offers', 'record_id'],
    ['stg_ebay__orders', 'ebay_orders', 'natural_key'],
    ['stg_ebay__payouts', 'ebay_payouts', 'natural_key'],
    ['stg_ebay__transactions', 'ebay_transactions', 'natural_key'],
    ['stg_etsy__ledger_entries', 'etsy_ledger_entries', 'natural_key'],
    ['stg_etsy__listings', 'etsy_listings', 'record_id'],
    ['stg_etsy__payments', 'etsy_payments', 'natural_key'],
    ['stg_etsy__receipts', 'etsy_receipts', 'natural_key'],
    ['stg_ebay__orders_report', 'ebay_orders_report', 'natural_key'],
    ['stg_etsy__sold_order_items', 'etsy_sold_order_items', 'natural_key'],
    ['stg_etsy__sold_orders', 'etsy_sold_orders', 'natural_key'],
    ['stg_etsy__statement', 'etsy_statement', 'natural_key'],
    ['stg_pos__products', 'pos_products', 'record_id'],
    ['stg_pos__transactions', 'pos_transactions', 'natural_key'],
    ['stg_shopify__orders_export', 'shopify_orders_export', 'natural_key'],
    ['stg_fx__ecb_rates', 'fx_ecb_rates', 'natural_key'],
    ['stg_fx__intraday_rates', 'fx_intraday_rates', 'record_id'],
    ['stg_geo__delivery_zones', 'geo_delivery_zones', 'natural_key'],
    ['stg_geo__postcodes', 'geo_postcodes', 'natural_key'],
    ['stg_media__photos', 'media_photos', 'record_id'],
    ['stg_shopify__balance_transactions', 'shopify_balance_transactions', 'natural_key'],
    ['stg_shopify__customers', 'shopify_customers', 'natural_key'],
    ['stg_shopify__inventory_levels', 'shopify_inventory_levels', 'natural_key'],
    ['stg_shopify__locations', 'shopify_locations', 'natural_key'],
    ['stg_shopify__orders', 'shopify_orders', 'natural_key'],
    ['stg_shopify__payouts', 'shopify_payouts', 'natural_key'],
    ['stg_shopify__products', 'shopify_products', 'record_id'],
    ['stg_square__catalog_objects', 'square_catalog_objects', 'record_id'],
    ['stg_square__customers', 'square_customers', 'natural_key'],
    ['stg_square__inventory_counts', 'square_inventory_counts', 'natural_key'],
    ['stg_square__locations', 'square_locations', 'natural_key'],
    ['stg_square__orders', 'square_orders', 'natural_key'],
    ['stg_square__payments', 'square_payments', 'natural_key'],
    ['stg_square__payout_entries', 'square_payout_entries', 'natural_key'],
    ['stg_square__payouts', 'square_payouts', 'natural_key'],
    ['stg_square__refunds', 'square_refunds', 'natural_key'],
    ['stg_aftership__trackings', 'aftership_trackings', 'record_id'],
    ['stg_easypost__events', 'easypost_events', 'record_id'],
    ['stg_easypost__trackers', 'easypost_trackers', 'record_id'],
    ['stg_seventeentrack__trackings', 'seventeentrack_trackings', 'record_id'],
    ['stg_shippo__trackings', 'shippo_trackings', 'record_id'],
] %}

{% for model, table, key in staged -%}
{%- set newest = extreme('max', 'ingested_at', ref(model), none) -%}
select '{{ model }}' as model, records.{{ key }} as record_key
from {{ source('bronze', table) }} as records
where
    {%- if newest %}
    records.ingested_at <= {{ time_literal(newest) }}
    and records.ingest_date >= {{ date_literal(newest[:10]) }}
    and
    {%- endif %}
    not exists (
        select 1
        from {{ ref(model) }} as staged
        where staged.{{ key }} = records.{{ key }}
    )
    {%- if not newest %}
    -- Nothing is staged yet, so that nothing can be missing: its gate may be closed.
    and exists (select 1 from {{ ref(model) }} as any_row)
    {%- endif %}
{{ 'union all' if not loop.last }}
{% endfor %}
