{#
  What every provider's word for a parcel's state means: the one table of tracking statuses. Rows of
  [provider, status, detail, canonical]; words in lower case. A row with detail '' holds for every detail that has no row of
  its own. What has no row at all is quarantined (quarantine.silver_tracking_events), never guessed.

  detail: EasyPost status_detail, AfterShip subtag, Shippo substatus code, 17TRACK sub_status.
  Sources: domain.md section 2; https://docs.easypost.com/docs/trackers,
  https://www.aftership.com/docs/tracking/enum/delivery-sub-statuses, https://docs.goshippo.com/docs/tracking/tracking/,
  https://api.17track.net/en/doc, and FulfillmentDisplayStatus of Shopify's Admin API for what a channel itself says.
#}
{% macro tracking_statuses() -%}
  {{- return([
    ['easypost', 'unknown', '', 'pending'],
    ['easypost', 'pre_transit', '', 'label_created'],
    ['easypost', 'in_transit', '', 'in_transit'],
    ['easypost', 'out_for_delivery', '', 'out_for_delivery'],
    ['easypost', 'available_for_pickup', '', 'pickup_ready'],
    ['easypost', 'delivered', '', 'delivered'],
    ['easypost', 'return_to_sender', '', 'returning'],
    ['easypost', 'return_to_sender', 'arrived_at_destination', 'returned'],
    ['easypost', 'failure', '', 'exception'],
    ['easypost', 'error', '', 'exception'],
    ['easypost', 'cancelled', '', 'cancelled'],
    ['easypost', 'unknown', 'delivery_exception', 'attempt_failed'],
    ['easypost', 'in_transit', 'delivery_exception', 'attempt_failed'],
    ['easypost', 'out_for_delivery', 'delivery_exception', 'attempt_failed'],
    ['easypost', 'available_for_pickup', 'delivery_exception', 'attempt_failed'],
    ['easypost', 'failure', 'delivery_exception', 'attempt_failed'],
    ['easypost', 'unknown', 'label_created', 'label_created'],
    ['easypost', 'in_transit', 'return', 'returning'],
    ['easypost', 'failure', 'return', 'returning'],
    ['easypost', 'failure', 'expired', 'expired'],
    ['easypost', 'failure', 'cancelled', 'cancelled'],

    ['aftership', 'pending', '', 'pending'],
    ['aftership', 'inforeceived', '', 'label_created'],
    ['aftership', 'intransit', '', 'in_transit'],
    ['aftership', 'outfordelivery', '', 'out_for_delivery'],
    ['aftership', 'availableforpickup', '', 'pickup_ready'],
    ['aftership', 'attemptfail', '', 'attempt_failed'],
    ['aftership', 'delivered', '', 'delivered'],
    ['aftership', 'exception', '', 'exception'],
    ['aftership', 'exception', 'exception_010', 'returning'],
    ['aftership', 'exception', 'exception_011', 'returned'],
    ['aftership', 'exception', 'exception_020', 'cancelled'],
    ['aftership', 'expired', '', 'expired'],

    ['shippo', 'unknown', '', 'pending'],
    ['shippo', 'pre_transit', '', 'label_created'],
    ['shippo', 'transit', '', 'in_transit'],
    ['shippo', 'transit', 'out_for_delivery', 'out_for_delivery'],
    ['shippo', 'transit', 'pickup_available', 'pickup_ready'],
    ['shippo', 'transit', 'delivery_attempted', 'attempt_failed'],
    ['shippo', 'transit', 'notice_left', 'attempt_failed'],
    ['shippo', 'transit', 'location_inaccessible', 'attempt_failed'],
    ['shippo', 'transit', 'return_to_sender', 'returning'],
    ['shippo', 'delivered', '', 'delivered'],
    ['shippo', 'returned', '', 'returned'],
    ['shippo', 'returned', 'return_to_sender', 'returning'],
    ['shippo', 'failure', '', 'exception'],
    ['shippo', 'failure', 'delivery_attempted', 'attempt_failed'],
    ['shippo', 'failure', 'notice_left', 'attempt_failed'],
    ['shippo', 'failure', 'return_to_sender', 'returning'],

    ['seventeentrack', 'notfound', '', 'pending'],
    ['seventeentrack', 'inforeceived', '', 'label_created'],
    ['seventeentrack', 'intransit', '', 'in_transit'],
    ['seventeentrack', 'outfordelivery', '', 'out_for_delivery'],
    ['seventeentrack', 'availableforpickup', '', 'pickup_ready'],
    ['seventeentrack', 'deliveryfailure', '', 'attempt_failed'],
    ['seventeentrack', 'delivered', '', 'delivered'],
    ['seventeentrack', 'exception', '', 'exception'],
    ['seventeentrack', 'exception', 'exception_returning', 'returning'],
    ['seventeentrack', 'exception', 'exception_returned', 'returned'],
    ['seventeentrack', 'exception', 'exception_cancel', 'cancelled'],
    ['seventeentrack', 'expired', '', 'expired'],

    ['shopify', 'submitted', '', 'pending'],
    ['shopify', 'confirmed', '', 'pending'],
    ['shopify', 'label_purchased', '', 'label_created'],
    ['shopify', 'label_printed', '', 'label_created'],
    ['shopify', 'label_voided', '', 'cancelled'],
    ['shopify', 'carrier_picked_up', '', 'in_transit'],
    ['shopify', 'in_transit', '', 'in_transit'],
    ['shopify', 'delayed', '', 'in_transit'],
    ['shopify', 'out_for_delivery', '', 'out_for_delivery'],
    ['shopify', 'ready_for_pickup', '', 'pickup_ready'],
    ['shopify', 'attempted_delivery', '', 'attempt_failed'],
    ['shopify', 'picked_up', '', 'delivered'],
    ['shopify', 'delivered', '', 'delivered'],
    ['shopify', 'not_delivered', '', 'exception'],
    ['shopify', 'failure', '', 'exception'],
    ['shopify', 'canceled', '', 'cancelled'],
  ]) -}}
{%- endmacro %}

{#
  The canonical states: [state, rank, scanned]. The rank decides between events of the same second; scanned says that the
  carrier has had the parcel in its hands.
#}
{% macro tracking_states() -%}
  {{- return([
    ['pending', 0, 0],
    ['label_created', 1, 0],
    ['in_transit', 2, 1],
    ['pickup_ready', 3, 1],
    ['out_for_delivery', 4, 1],
    ['attempt_failed', 5, 1],
    ['exception', 6, 0],
    ['expired', 7, 0],
    ['cancelled', 8, 0],
    ['delivered', 9, 1],
    ['returning', 10, 1],
    ['returned', 11, 1],
  ]) -}}
{%- endmacro %}

{# The canonical states as a case expression on `status`; `place` is 1 for the rank, 2 for whether it is a scan. #}
{% macro tracking_state_number(status, place) -%}
case {{ status }}
{%- for state in tracking_states() %} when '{{ state[0] }}' then {{ state[place] }} {%- endfor %} end
{%- endmacro %}

{# A tracking number as it is compared: people and channels write it with blanks and in either case. #}
{% macro tracking_key(number) -%} upper(replace({{ number }}, ' ', '')) {%- endmacro %}
