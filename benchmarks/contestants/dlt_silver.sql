-- Silver on the tables that dlt makes of the records; schemas, functions and gold are those of duckdb_plain.sql. dlt_dbt.py
-- makes dbt models of the tables. No settings.

-- phase: silver
-- dlt makes no column, and no table, for what no record of a small sample holds.
ALTER TABLE bronze.orders ADD COLUMN IF NOT EXISTS cancelled_at TIMESTAMPTZ;

ALTER TABLE bronze.orders ADD COLUMN IF NOT EXISTS original_total_duties_set__presentment_money__amount VARCHAR;

ALTER TABLE bronze.orders ADD COLUMN IF NOT EXISTS current_total_duties_set__presentment_money__amount VARCHAR;

ALTER TABLE bronze.orders ADD COLUMN IF NOT EXISTS original_total_additional_fees_set__presentment_money__amount VARCHAR;

ALTER TABLE bronze.orders ADD COLUMN IF NOT EXISTS current_total_additional_fees_set__presentment_money__amount VARCHAR;

CREATE TABLE IF NOT EXISTS bronze.orders__refunds__duties (
    amount_set__presentment_money__amount VARCHAR, _dlt_parent_id VARCHAR
);

CREATE TABLE IF NOT EXISTS bronze.orders__refunds__refund_shipping_lines__nodes (
    subtotal_amount_set__presentment_money__amount VARCHAR,
    tax_amount_set__presentment_money__amount VARCHAR,
    _dlt_parent_id VARCHAR
);

CREATE TABLE silver.fx_daily AS
WITH rates AS (
    SELECT
        CAST(rate_date AS DATE) AS source_rate_date,
        currency,
        CAST(round(1 / CAST(rate AS DOUBLE), 12) AS DECIMAL(20, 12)) AS fx_rate
    FROM bronze.rates
    UNION ALL
    SELECT DISTINCT CAST(rate_date AS DATE), 'EUR', CAST(1 AS DECIMAL(20, 12))
    FROM bronze.rates
),

followed AS (
    SELECT *, lead(source_rate_date) OVER (PARTITION BY currency ORDER BY source_rate_date) AS next_rate_date
    FROM rates
)

SELECT
    source_rate_date + CAST(age AS INTEGER) AS rate_date,
    currency,
    fx_rate,
    source_rate_date
FROM followed
CROSS JOIN generate_series(0, 7) AS ages (age)
WHERE next_rate_date IS NULL OR source_rate_date + CAST(age AS INTEGER) < next_rate_date;

CREATE TABLE silver.parsed_orders AS
SELECT *, legacy_resource_id AS order_id
FROM bronze.orders
QUALIFY row_number() OVER (PARTITION BY id ORDER BY updated_at DESC, payload_sha256 DESC, _dlt_id) = 1;

CREATE TABLE silver.parsed_till AS
WITH newest AS (
    SELECT *
    FROM bronze.till
    QUALIFY row_number() OVER (PARTITION BY transaction_id, line_id ORDER BY sold_at DESC, payload_sha256 DESC, _dlt_id) = 1
)

SELECT
    * REPLACE (
        CAST(quantity AS INTEGER) AS quantity,
        CAST(discount_amount AS DECIMAL(18, 4)) AS discount_amount,
        CAST(tax_amount AS DECIMAL(18, 4)) AS tax_amount
    ),
    CAST(
        CAST(line_total AS DECIMAL(18, 4)) + CAST(newest.discount_amount AS DECIMAL(18, 4))
        - CASE WHEN tax_included = 'true' THEN CAST(newest.tax_amount AS DECIMAL(18, 4)) ELSE 0 END AS DECIMAL(18, 4)
    ) AS gross_amount
FROM newest;

CREATE TABLE silver.order_lines AS
WITH discounts AS (
    SELECT
        _dlt_parent_id,
        CAST(sum(CAST(allocated_amount_set__presentment_money__amount AS DECIMAL(18, 4))) AS DECIMAL(18, 4)) AS amount
    FROM bronze.orders__line_items__nodes__discount_allocations
    GROUP BY _dlt_parent_id
),

taxes AS (
    SELECT
        _dlt_parent_id,
        CAST(sum(CAST(price_set__presentment_money__amount AS DECIMAL(18, 4))) AS DECIMAL(18, 4)) AS amount
    FROM bronze.orders__line_items__nodes__tax_lines
    GROUP BY _dlt_parent_id
),

lines AS (
    SELECT
        'shopify' AS channel,
        orders.order_id,
        split_part(lines.id, '/', -1) AS line_id,
        lines.sku AS item_id,
        split_part(lines.product__id, '/', -1) AS product_id,
        lines.title,
        lines.quantity,
        orders.presentment_currency_code AS currency,
        CAST(
            CAST(lines.original_unit_price_set__presentment_money__amount AS DECIMAL(18, 4)) * lines.quantity
            - CASE WHEN orders.taxes_included THEN coalesce(taxes.amount, 0) ELSE 0 END AS DECIMAL(18, 4)
        ) AS gross_amount,
        coalesce(discounts.amount, 0) AS discount_amount,
        coalesce(taxes.amount, 0) AS tax_amount,
        orders.created_at AS ordered_at,
        orders.payload_sha256 AS record_id
    FROM silver.parsed_orders AS orders
    INNER JOIN bronze.orders__line_items__nodes AS lines ON lines._dlt_parent_id = orders._dlt_id
    LEFT JOIN discounts ON discounts._dlt_parent_id = lines._dlt_id
    LEFT JOIN taxes ON taxes._dlt_parent_id = lines._dlt_id
    UNION ALL
    SELECT
        'pos', transaction_id, line_id, item_id, NULL, title, quantity, currency, gross_amount, discount_amount, tax_amount,
        sold_at, payload_sha256
    FROM silver.parsed_till
    WHERE line_type = 'sale'
)

SELECT
    *,
    CAST(round(gross_amount / quantity, 4) AS DECIMAL(18, 4)) AS price_amount,
    CAST(gross_amount - discount_amount + tax_amount AS DECIMAL(18, 4)) AS line_total_amount,
    CAST(timezone('Europe/Dublin', ordered_at) AS DATE) AS business_date
FROM lines;

CREATE TABLE silver.orders AS
WITH sums AS (
    SELECT
        channel,
        order_id,
        count(*) AS line_count,
        min(coalesce(quantity, -1)) AS lowest_quantity,
        count(*) - count(line_total_amount) AS lines_without_total,
        CAST(sum(gross_amount) AS DECIMAL(18, 4)) AS gross_amount,
        CAST(sum(discount_amount) AS DECIMAL(18, 4)) AS discount_amount,
        CAST(sum(tax_amount) AS DECIMAL(18, 4)) AS tax_amount,
        CAST(sum(line_total_amount) AS DECIMAL(18, 4)) AS total_amount,
        min(currency) AS currency,
        max(currency) AS other_currency,
        min(ordered_at) AS ordered_at,
        max(record_id) AS record_id
    FROM silver.order_lines
    GROUP BY channel, order_id
),

receipts AS (
    SELECT
        transaction_id,
        max(person_id) AS person_id,
        max(store_id) AS store_id,
        bool_and(coalesce(line_type = 'sale', false)) AS has_known_lines
    FROM silver.parsed_till
    WHERE line_type IS DISTINCT FROM 'return'
    GROUP BY transaction_id
),

shippings AS (
    SELECT
        _dlt_parent_id,
        CAST(sum(CAST(discounted_price_set__presentment_money__amount AS DECIMAL(18, 4))) AS DECIMAL(18, 4)) AS amount
    FROM bronze.orders__shipping_lines__nodes
    GROUP BY _dlt_parent_id
),

shopify AS (
    SELECT
        orders.*,
        sums.line_count,
        sums.gross_amount,
        sums.discount_amount,
        CAST(
            coalesce(shippings.amount, 0)
            - CASE
                WHEN orders.taxes_included
                    THEN CAST(orders.total_tax_set__presentment_money__amount AS DECIMAL(18, 4)) - sums.tax_amount
                ELSE 0
            END AS DECIMAL(18, 4)
        ) AS shipping_amount,
        CAST(orders.total_tax_set__presentment_money__amount AS DECIMAL(18, 4)) AS tax_amount,
        CAST(orders.total_price_set__presentment_money__amount AS DECIMAL(18, 4)) AS total_amount,
        CAST(orders.total_tip_received_set__presentment_money__amount AS DECIMAL(18, 4)) AS tip,
        CASE WHEN orders.duties_included THEN 0
            ELSE coalesce(CAST(orders.original_total_duties_set__presentment_money__amount AS DECIMAL(18, 4)), 0)
        END
        + coalesce(CAST(orders.original_total_additional_fees_set__presentment_money__amount AS DECIMAL(18, 4)), 0) AS fees,
        CASE WHEN orders.duties_included THEN 0
            ELSE coalesce(CAST(orders.current_total_duties_set__presentment_money__amount AS DECIMAL(18, 4)), 0)
        END
        + coalesce(CAST(orders.current_total_additional_fees_set__presentment_money__amount AS DECIMAL(18, 4)), 0)
        AS current_fees
    FROM silver.parsed_orders AS orders
    INNER JOIN sums ON sums.channel = 'shopify' AND sums.order_id = orders.order_id
    LEFT JOIN shippings ON shippings._dlt_parent_id = orders._dlt_id
    WHERE sums.lowest_quantity >= 0
),

reckoned AS (
    SELECT *, total_amount - gross_amount + discount_amount - shipping_amount - tax_amount AS left_over
    FROM shopify
),

united AS (
    SELECT
        'shopify' AS channel,
        order_id,
        name AS order_name,
        person_id,
        created_at AS ordered_at,
        CASE
            WHEN cancelled_at IS NOT NULL THEN 'cancelled'
            WHEN display_financial_status IN ('REFUNDED', 'PARTIALLY_REFUNDED') THEN lower(display_financial_status)
            WHEN display_fulfillment_status = 'FULFILLED' THEN 'completed'
            ELSE 'open'
        END AS status,
        coalesce(lower(display_financial_status), 'pending') AS payment_status,
        coalesce(lower(display_fulfillment_status), 'unfulfilled') AS fulfilment_status,
        coalesce(test, false) AS is_test,
        coalesce(display_financial_status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED'), false) AS is_paid,
        cancelled_at,
        presentment_currency_code AS currency,
        gross_amount,
        discount_amount,
        shipping_amount,
        tax_amount,
        CAST(CASE
            WHEN abs(left_over) <= 0.01 * line_count THEN 0
            WHEN abs(left_over - tip - fees) <= 0.01 * line_count THEN tip + fees
            WHEN abs(left_over - tip - current_fees) <= 0.01 * line_count THEN tip + current_fees
            WHEN abs(left_over - fees) <= 0.01 * line_count THEN fees
            ELSE tip + fees
        END AS DECIMAL(18, 4)) AS surcharge_amount,
        total_amount,
        CASE
            WHEN presentment_currency_code = currency_code THEN CAST(1 AS DECIMAL(20, 12))
            ELSE exact_rate(CAST(total_price_set__shop_money__amount AS DECIMAL(18, 4)), total_amount)
        END AS channel_fx_rate,
        currency_code AS settlement_currency,
        shipping_address__country_code_v2 AS ship_country,
        shipping_address__zip AS ship_postcode_area,
        NULL AS store_id,
        updated_at AS source_updated_at,
        payload_sha256 AS record_id,
        line_count
    FROM reckoned
    UNION ALL
    SELECT
        'pos', sums.order_id, sums.order_id, receipts.person_id, sums.ordered_at, 'completed', 'paid', 'fulfilled', false,
        true, NULL, sums.currency, sums.gross_amount, sums.discount_amount, 0, sums.tax_amount, 0, sums.total_amount, NULL,
        sums.currency, NULL, NULL, receipts.store_id, sums.ordered_at, sums.record_id, sums.line_count
    FROM sums
    INNER JOIN receipts ON receipts.transaction_id = sums.order_id
    WHERE sums.channel = 'pos'
        AND sums.lowest_quantity >= 0
        AND sums.lines_without_total = 0
        AND sums.currency = sums.other_currency
        AND receipts.has_known_lines
)

SELECT * EXCLUDE (line_count), CAST(timezone('Europe/Dublin', ordered_at) AS DATE) AS business_date
FROM united
WHERE order_id <> ''
    AND ordered_at IS NOT NULL
    AND length(currency) = 3
    AND abs(gross_amount - discount_amount + shipping_amount + tax_amount + surcharge_amount - total_amount)
    <= 0.01 * line_count;

CREATE TABLE silver.refunds AS
WITH given_back_lines AS (
    SELECT
        _dlt_parent_id,
        sum(CAST(total_tax_set__presentment_money__amount AS DECIMAL(18, 4))) AS tax_amount,
        bool_or(restocked) AS is_restocked
    FROM bronze.orders__refunds__refund_line_items__nodes
    GROUP BY _dlt_parent_id
),

given_back_shipping AS (
    SELECT
        _dlt_parent_id,
        sum(CAST(subtotal_amount_set__presentment_money__amount AS DECIMAL(18, 4))) AS amount,
        sum(CAST(tax_amount_set__presentment_money__amount AS DECIMAL(18, 4))) AS tax_amount
    FROM bronze.orders__refunds__refund_shipping_lines__nodes
    GROUP BY _dlt_parent_id
),

given_back_duties AS (
    SELECT _dlt_parent_id, sum(CAST(amount_set__presentment_money__amount AS DECIMAL(18, 4))) AS amount
    FROM bronze.orders__refunds__duties
    GROUP BY _dlt_parent_id
),

given_back AS (
    SELECT
        'shopify' AS channel,
        coalesce(refunds.legacy_resource_id, concat('missing:', parsed.order_id)) AS refund_id,
        parsed.order_id,
        coalesce(refunds.processed_at, refunds.created_at, parsed.created_at) AS refunded_at,
        refunds.total_refunded_set__presentment_money__currency_code AS currency,
        CAST(refunds.total_refunded_set__presentment_money__amount AS DECIMAL(18, 4)) AS refund_amount,
        coalesce(lines.tax_amount, 0) + coalesce(shipping.tax_amount, 0) AS refund_tax_amount,
        coalesce(shipping.amount, 0)
        - CASE WHEN parsed.taxes_included THEN coalesce(shipping.tax_amount, 0) ELSE 0 END AS refund_shipping_amount,
        CASE
            WHEN CAST(refunds.total_refunded_set__presentment_money__amount AS DECIMAL(18, 4)) >= orders.total_amount
                THEN orders.surcharge_amount
            ELSE coalesce(duties.amount, 0)
        END AS refund_surcharge_amount,
        coalesce(lines.is_restocked, false) AS is_restocked,
        parsed.created_at AS ordered_at
    FROM bronze.orders__refunds AS refunds
    INNER JOIN silver.parsed_orders AS parsed ON parsed._dlt_id = refunds._dlt_parent_id
    LEFT JOIN given_back_lines AS lines ON lines._dlt_parent_id = refunds._dlt_id
    LEFT JOIN given_back_shipping AS shipping ON shipping._dlt_parent_id = refunds._dlt_id
    LEFT JOIN given_back_duties AS duties ON duties._dlt_parent_id = refunds._dlt_id
    LEFT JOIN silver.orders AS orders ON orders.channel = 'shopify' AND orders.order_id = parsed.order_id
    UNION ALL
    SELECT
        'pos',
        transaction_id,
        any_value(orders.order_id),
        min(sold_at),
        any_value(till.currency),
        -sum(till.gross_amount - till.discount_amount + till.tax_amount),
        -sum(till.tax_amount),
        0,
        0,
        true,
        min(sold_at)
    FROM silver.parsed_till AS till
    LEFT JOIN silver.orders AS orders ON orders.channel = 'pos' AND orders.order_id = till.transaction_id
    WHERE line_type = 'return'
        AND transaction_id <> ''
        AND sold_at IS NOT NULL
        AND length(till.currency) = 3
        AND quantity <= 0
        AND till.gross_amount - till.discount_amount + till.tax_amount <= 0
    GROUP BY transaction_id
)

SELECT
    channel,
    refund_id,
    order_id,
    refunded_at,
    CAST(timezone('Europe/Dublin', refunded_at) AS DATE) AS business_date,
    currency,
    CAST(refund_amount AS DECIMAL(18, 4)) AS refund_amount,
    CAST(refund_tax_amount AS DECIMAL(18, 4)) AS refund_tax_amount,
    CAST(refund_shipping_amount AS DECIMAL(18, 4)) AS refund_shipping_amount,
    CAST(refund_surcharge_amount AS DECIMAL(18, 4)) AS refund_surcharge_amount,
    is_restocked,
    ordered_at
FROM given_back
WHERE refund_id NOT LIKE 'missing:%'
    AND refunded_at IS NOT NULL
    AND length(currency) = 3
    AND refund_amount >= 0
    AND abs(refund_tax_amount) <= abs(refund_amount);
