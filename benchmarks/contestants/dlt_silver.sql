-- Silver on the tables that dlt makes of the records; gold goes on with duckdb_plain.sql. No settings.

-- phase: silver
CREATE SCHEMA silver;

CREATE SCHEMA gold;

CREATE TABLE silver.fx_daily AS
WITH rates AS (
    SELECT
        CAST(rate_date AS DATE) AS source_rate_date,
        currency,
        CAST(round(1 / CAST(rate AS DOUBLE), 12) AS DECIMAL(20, 12)) AS fx_rate
    FROM bronze.rates
    UNION ALL
    SELECT DISTINCT CAST(rate_date AS DATE), 'EUR', 1
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

CREATE TEMP TABLE parsed_orders AS
SELECT *, legacy_resource_id AS order_id
FROM bronze.orders
QUALIFY row_number() OVER (PARTITION BY id ORDER BY updated_at DESC, payload_sha256 DESC, _dlt_id) = 1;

CREATE TEMP TABLE parsed_till AS
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
        orders.created_at AS ordered_at
    FROM parsed_orders AS orders
    INNER JOIN bronze.orders__line_items__nodes AS lines ON lines._dlt_parent_id = orders._dlt_id
    LEFT JOIN discounts ON discounts._dlt_parent_id = lines._dlt_id
    LEFT JOIN taxes ON taxes._dlt_parent_id = lines._dlt_id
    UNION ALL
    SELECT
        'pos', transaction_id, line_id, item_id, NULL, title, quantity, currency, gross_amount, discount_amount, tax_amount,
        sold_at
    FROM parsed_till
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
        CAST(sum(gross_amount) AS DECIMAL(18, 4)) AS gross_amount,
        CAST(sum(discount_amount) AS DECIMAL(18, 4)) AS discount_amount,
        CAST(sum(tax_amount) AS DECIMAL(18, 4)) AS tax_amount,
        CAST(sum(line_total_amount) AS DECIMAL(18, 4)) AS total_amount,
        any_value(currency) AS currency,
        min(ordered_at) AS ordered_at
    FROM silver.order_lines
    GROUP BY channel, order_id
),

receipts AS (
    SELECT transaction_id, max(person_id) AS person_id, max(store_id) AS store_id
    FROM parsed_till
    WHERE line_type = 'sale'
    GROUP BY transaction_id
),

shippings AS (
    SELECT
        _dlt_parent_id,
        CAST(sum(CAST(discounted_price_set__presentment_money__amount AS DECIMAL(18, 4))) AS DECIMAL(18, 4)) AS amount
    FROM bronze.orders__shipping_lines__nodes
    GROUP BY _dlt_parent_id
),

united AS (
    SELECT
        'shopify' AS channel,
        orders.order_id,
        orders.name AS order_name,
        orders.person_id,
        orders.created_at AS ordered_at,
        CASE
            WHEN orders.display_financial_status IN ('REFUNDED', 'PARTIALLY_REFUNDED')
                THEN lower(orders.display_financial_status)
            WHEN orders.display_fulfillment_status = 'FULFILLED' THEN 'completed'
            ELSE 'open'
        END AS status,
        lower(orders.display_financial_status) AS payment_status,
        lower(orders.display_fulfillment_status) AS fulfilment_status,
        orders.test AS is_test,
        orders.display_financial_status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED') AS is_paid,
        orders.presentment_currency_code AS currency,
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
        CAST(
            CAST(orders.total_price_set__shop_money__amount AS DECIMAL(18, 4))
            / CAST(orders.total_price_set__presentment_money__amount AS DECIMAL(18, 4)) AS DECIMAL(20, 12)
        ) AS channel_fx_rate,
        orders.currency_code AS settlement_currency,
        orders.shipping_address__country_code_v2 AS ship_country,
        orders.shipping_address__zip AS ship_postcode_area,
        NULL AS store_id
    FROM parsed_orders AS orders
    INNER JOIN sums ON sums.channel = 'shopify' AND sums.order_id = orders.order_id
    LEFT JOIN shippings ON shippings._dlt_parent_id = orders._dlt_id
    UNION ALL
    SELECT
        'pos', sums.order_id, sums.order_id, receipts.person_id, sums.ordered_at, 'completed', 'paid', 'fulfilled', false,
        true, sums.currency, sums.gross_amount, sums.discount_amount, 0, sums.tax_amount, sums.total_amount, NULL,
        sums.currency, NULL, NULL, receipts.store_id
    FROM sums
    INNER JOIN receipts ON receipts.transaction_id = sums.order_id
    WHERE sums.channel = 'pos'
)

SELECT *, CAST(timezone('Europe/Dublin', ordered_at) AS DATE) AS business_date
FROM united
WHERE abs(gross_amount - discount_amount + shipping_amount + tax_amount - total_amount) <= 0.02;

CREATE TABLE silver.refunds AS
WITH taxes AS (
    SELECT _dlt_parent_id, sum(CAST(total_tax_set__presentment_money__amount AS DECIMAL(18, 4))) AS amount
    FROM bronze.orders__refunds__refund_line_items__nodes
    GROUP BY _dlt_parent_id
),

given_back AS (
    SELECT
        'shopify' AS channel,
        refunds.legacy_resource_id AS refund_id,
        orders.order_id,
        coalesce(refunds.processed_at, refunds.created_at) AS refunded_at,
        refunds.total_refunded_set__presentment_money__currency_code AS currency,
        CAST(refunds.total_refunded_set__presentment_money__amount AS DECIMAL(18, 4)) AS refund_amount,
        coalesce(taxes.amount, 0) AS refund_tax_amount
    FROM bronze.orders__refunds AS refunds
    INNER JOIN parsed_orders AS orders ON orders._dlt_id = refunds._dlt_parent_id
    LEFT JOIN taxes ON taxes._dlt_parent_id = refunds._dlt_id
    UNION ALL
    SELECT
        'pos',
        transaction_id,
        any_value(orders.order_id),
        min(sold_at),
        any_value(till.currency),
        -sum(till.gross_amount - till.discount_amount + till.tax_amount),
        -sum(till.tax_amount)
    FROM parsed_till AS till
    LEFT JOIN silver.orders AS orders ON orders.channel = 'pos' AND orders.order_id = till.transaction_id
    WHERE line_type = 'return'
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
    CAST(refund_tax_amount AS DECIMAL(18, 4)) AS refund_tax_amount
FROM given_back;
