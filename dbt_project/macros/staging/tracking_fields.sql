{#
  What is read of the providers' tracking payloads. The paths are those of the masked payload: a webhook's wrapper is taken off
  when its file is read (retreasure_assets/sources/mappings).
#}

{% macro easypost_tracker_fields() -%}
  {{- return([
    ['tracker_id', 'id', 'text'],
    ['tracking_number', 'tracking_code', 'text'],
    ['carrier', 'carrier', 'text'],
    ['mode', 'mode', 'lower'],
    ['status', 'status', 'lower'],
    ['status_detail', 'status_detail', 'lower'],
    ['updated_at', 'updated_at', 'time'],
    ['estimated_at', 'est_delivery_date', 'time'],
    ['scans', 'tracking_details', 'list', easypost_scan_fields()],
  ]) -}}
{%- endmacro %}

{% macro easypost_scan_fields() -%}
  {{- return([
    ['occurred_at', 'datetime', 'time'],
    ['provider_status', 'status', 'lower'],
    ['provider_detail', 'status_detail', 'lower'],
    ['country', 'tracking_location.country', 'text'],
    ['region', 'tracking_location.state', 'text'],
    ['postcode_area', 'tracking_location.zip', 'text'],
  ]) -}}
{%- endmacro %}

{% macro aftership_tracking_fields() -%}
  {{- return([
    ['tracker_id', 'id', 'text'],
    ['tracking_number', 'tracking_number', 'text'],
    ['carrier', 'slug', 'text'],
    ['status', 'tag', 'lower'],
    ['status_detail', 'subtag', 'lower'],
    ['updated_at', 'updated_at', 'time'],
    ['scans', 'checkpoints', 'list', aftership_checkpoint_fields()],
  ]) -}}
{%- endmacro %}

{% macro aftership_checkpoint_fields() -%}
  {{- return([
    ['occurred_at', 'checkpoint_time', 'time'],
    ['provider_status', 'tag', 'lower'],
    ['provider_detail', 'subtag', 'lower'],
    ['country', 'country_region', 'text'],
    ['country_iso3', 'country_iso3', 'text'],
    ['region', 'state', 'text'],
    ['postcode', 'postal_code', 'text'],
    ['zip', 'zip', 'text'],
  ]) -}}
{%- endmacro %}

{% macro shippo_tracking_fields() -%}
  {{- return([
    ['tracking_number', 'tracking_number', 'text'],
    ['carrier', 'carrier', 'text'],
    ['status', 'tracking_status.status', 'lower'],
    ['status_detail', 'tracking_status.substatus.code', 'lower'],
    ['status_at', 'tracking_status.status_date', 'time'],
    ['country', 'tracking_status.location.country', 'text'],
    ['region', 'tracking_status.location.state', 'text'],
    ['postcode_area', 'tracking_status.location.zip', 'text'],
    ['scans', 'tracking_history', 'list', shippo_history_fields()],
  ]) -}}
{%- endmacro %}

{% macro shippo_history_fields() -%}
  {{- return([
    ['occurred_at', 'status_date', 'time'],
    ['provider_status', 'status', 'lower'],
    ['provider_detail', 'substatus.code', 'lower'],
    ['country', 'location.country', 'text'],
    ['region', 'location.state', 'text'],
    ['postcode_area', 'location.zip', 'text'],
  ]) -}}
{%- endmacro %}

{% macro seventeentrack_tracking_fields() -%}
  {{- return([
    ['tracking_number', 'number', 'text'],
    ['carrier', 'carrier', 'text'],
    ['status', 'track_info.latest_status.status', 'lower'],
    ['status_detail', 'track_info.latest_status.sub_status', 'lower'],
    ['status_at', 'track_info.latest_event.time_utc', 'time'],
    ['providers', 'track_info.tracking.providers', 'list', seventeentrack_provider_fields()],
  ]) -}}
{%- endmacro %}

{% macro seventeentrack_provider_fields() -%}
  {{- return([
    ['scans', 'events', 'list', seventeentrack_event_fields()],
  ]) -}}
{%- endmacro %}

{# An event names its sub-status alone; the part of it before the underscore is the status. #}
{% macro seventeentrack_event_fields() -%}
  {{- return([
    ['occurred_at', 'time_utc', 'time'],
    ['provider_detail', 'sub_status', 'lower'],
    ['country', 'address.country', 'text'],
    ['region', 'address.state', 'text'],
    ['postcode_area', 'address.postal_code', 'text'],
  ]) -}}
{%- endmacro %}
