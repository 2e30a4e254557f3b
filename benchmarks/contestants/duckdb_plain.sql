-- Raw records to gold in plain SQL: what one would write without this platform. Nothing is sealed, nobody is in a vault,
-- nothing is incremental; the same rules (but any three letters are a currency), and the same gold in every column. What
-- sources other than these would tell is written as the platform writes it without them: no costs, no fees, no zones.
-- $raw and $out are folders.

-- phase: prepare
CREATE SCHEMA silver;

CREATE SCHEMA gold;

-- Decimals are divided as doubles, which round some ties of the twelfth decimal the wrong way; whole numbers are exact.
CREATE MACRO exact_rate(amount, per) AS CAST(
    CAST(
        (2000000000000 * CAST(amount * 10000 AS HUGEINT) + CAST(per * 10000 AS HUGEINT))
        // nullif(2 * CAST(per * 10000 AS HUGEINT), 0) AS DECIMAL(38, 0)
    ) * 0.000000000001 AS DECIMAL(20, 12)
);

-- phase: bronze
COPY (
    WITH records AS (
        SELECT
            CAST(json AS VARCHAR) AS record,
            json_extract_string(json, [
                '$$.id', '$$.updatedAt', '$$.customer.id', '$$.email', '$$.clientIp', '$$.shippingAddress.zip',
                '$$.billingAddress.zip'
            ]) AS found,
            sha256(CAST(json AS VARCHAR)) AS payload_sha256,
            json_array_length(json, '$$.refunds') AS refund_count
        FROM read_json_objects('$raw/shopify_orders/*.jsonl', format = 'newline_delimited')
    )
    SELECT
        substr(sha256(concat('shopify', chr(10), 'orders', chr(10), found[1], chr(10), payload_sha256)), 1, 32) AS record_id,
        'shopify' AS source,
        'orders' AS entity,
        found[1] AS natural_key,
        CAST(found[2] AS TIMESTAMPTZ) AS source_updated_at,
        CAST(json_merge_patch(
            CASE
                WHEN refund_count > 0
                    THEN regexp_replace(record, '"note":"(?:[^"\\]|\\.)*"', '"note":null', 'g')
                ELSE record
            END,
            json_object(
                'email', NULL, 'phone', NULL, 'note', NULL,
                'clientIp', regexp_replace(found[5], '[0-9]+$$', '0'),
                'customer', json_object(
                    'firstName', NULL, 'lastName', NULL, 'displayName', NULL,
                    'defaultEmailAddress', json_object('emailAddress', NULL),
                    'defaultPhoneNumber', json_object('phoneNumber', NULL)
                ),
                'shippingAddress', json_object(
                    'firstName', NULL, 'lastName', NULL, 'name', NULL, 'company', NULL, 'address1', NULL,
                    'address2', NULL, 'city', NULL, 'phone', NULL, 'latitude', NULL, 'longitude', NULL,
                    'zip', CASE
                        WHEN found[6] LIKE '% %' THEN split_part(found[6], ' ', 1) ELSE substr(found[6], 1, 3)
                    END
                ),
                'billingAddress', json_object(
                    'firstName', NULL, 'lastName', NULL, 'name', NULL, 'company', NULL, 'address1', NULL,
                    'address2', NULL, 'city', NULL, 'phone', NULL, 'latitude', NULL, 'longitude', NULL,
                    'zip', CASE
                        WHEN found[7] LIKE '% %' THEN split_part(found[7], ' ', 1) ELSE substr(found[7], 1, 3)
                    END
                )
            )
        ) AS VARCHAR) AS payload,
        payload_sha256,
        sha256(concat('salt', coalesce(found[3], found[4]))) AS person_id,
        now() AS ingested_at,
        current_date AS ingest_date
    FROM records
) TO '$out/bronze/shopify_orders' (FORMAT parquet, PARTITION_BY (ingest_date), COMPRESSION zstd, COMPRESSION_LEVEL 1);

COPY (
    WITH records AS (
        SELECT
            CAST(json AS VARCHAR) AS record,
            json_extract_string(json, ['$$.transaction_id', '$$.line_id', '$$.sold_at', '$$.loyalty_id']) AS found,
            sha256(CAST(json AS VARCHAR)) AS payload_sha256
        FROM read_json_objects('$raw/pos_transactions/*.jsonl', format = 'newline_delimited')
    )
    SELECT
        substr(
            sha256(concat('pos', chr(10), 'transactions', chr(10), found[1], '|', found[2], chr(10), payload_sha256)), 1, 32
        ) AS record_id,
        'pos' AS source,
        'transactions' AS entity,
        concat(found[1], '|', found[2]) AS natural_key,
        CAST(found[3] AS TIMESTAMPTZ) AS source_updated_at,
        CASE
            WHEN found[4] IS NULL THEN record
            ELSE CAST(json_merge_patch(
                record, json_object('loyalty_id', substr(sha256(concat('salt', found[4])), 1, 32))
            ) AS VARCHAR)
        END AS payload,
        payload_sha256,
        sha256(concat('salt', coalesce(found[4], concat(found[1], '|', found[2])))) AS person_id,
        now() AS ingested_at,
        current_date AS ingest_date
    FROM records
) TO '$out/bronze/pos_transactions' (FORMAT parquet, PARTITION_BY (ingest_date), COMPRESSION zstd, COMPRESSION_LEVEL 1);

COPY (
    SELECT
        json_extract_string(json, '$$.date') AS natural_key,
        CAST(json AS VARCHAR) AS payload,
        sha256(CAST(json AS VARCHAR)) AS payload_sha256,
        now() AS ingested_at,
        current_date AS ingest_date
    FROM read_json_objects('$raw/fx_ecb_rates/*.jsonl', format = 'newline_delimited')
) TO '$out/bronze/fx_ecb_rates' (FORMAT parquet, PARTITION_BY (ingest_date), COMPRESSION zstd, COMPRESSION_LEVEL 1);

-- phase: silver
CREATE TABLE silver.fx_daily AS
WITH documents AS (
    SELECT CAST(json_extract_string(payload, '$$.date') AS DATE) AS source_rate_date, json_extract(payload, '$$.rates') AS doc
    FROM read_parquet('$out/bronze/fx_ecb_rates/*/*.parquet')
),

entries AS (
    SELECT source_rate_date, unnest(map_entries(from_json(doc, '"MAP(VARCHAR, VARCHAR)"'))) AS entry
    FROM documents
),

rates AS (
    SELECT
        source_rate_date,
        entry.key AS currency,
        CAST(round(1 / CAST(entry.value AS DOUBLE), 12) AS DECIMAL(20, 12)) AS fx_rate
    FROM entries
    UNION ALL
    SELECT source_rate_date, 'EUR', CAST(1 AS DECIMAL(20, 12))
    FROM documents
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

-- The winners are found over narrow columns, by place: to sort or group the documents costs more than to parse them.
CREATE TEMP TABLE parsed_orders AS
WITH newest AS (
    SELECT filename, file_row_number
    FROM read_parquet('$out/bronze/shopify_orders/*/*.parquet', filename = true, file_row_number = true)
    QUALIFY row_number() OVER (PARTITION BY natural_key ORDER BY source_updated_at DESC, record_id DESC) = 1
)

SELECT
    record_id,
    person_id,
    source_updated_at,
    from_json(payload, '{
    "id": "VARCHAR", "name": "VARCHAR", "createdAt": "TIMESTAMPTZ", "cancelledAt": "TIMESTAMPTZ", "test": "BOOLEAN",
    "displayFinancialStatus": "VARCHAR", "displayFulfillmentStatus": "VARCHAR", "currencyCode": "VARCHAR",
    "presentmentCurrencyCode": "VARCHAR", "taxesIncluded": "BOOLEAN",
    "shippingAddress": {"countryCodeV2": "VARCHAR", "zip": "VARCHAR"},
    "dutiesIncluded": "BOOLEAN", "totalTipReceivedSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}},
    "originalTotalDutiesSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}},
    "currentTotalDutiesSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}},
    "originalTotalAdditionalFeesSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}},
    "currentTotalAdditionalFeesSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}},
    "totalTaxSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}},
    "totalPriceSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}, "shopMoney": {"amount": "DECIMAL(18,4)"}},
    "shippingLines": {"nodes": [{"discountedPriceSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}}}]},
    "lineItems": {"nodes": [{
        "id": "VARCHAR", "sku": "VARCHAR", "title": "VARCHAR", "quantity": "INTEGER", "product": {"id": "VARCHAR"},
        "originalUnitPriceSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}},
        "discountAllocations": [{"allocatedAmountSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}}}],
        "taxLines": [{"priceSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}}}]
    }]},
    "refunds": [{
        "legacyResourceId": "VARCHAR", "createdAt": "TIMESTAMPTZ", "processedAt": "TIMESTAMPTZ",
        "totalRefundedSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)", "currencyCode": "VARCHAR"}},
        "duties": [{"amountSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}}}],
        "refundLineItems": {"nodes": [{
            "restocked": "BOOLEAN", "totalTaxSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}}
        }]},
        "refundShippingLines": {"nodes": [{
            "subtotalAmountSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}},
            "taxAmountSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}}
        }]}
    }]
    }') AS doc
FROM read_parquet('$out/bronze/shopify_orders/*/*.parquet', filename = true, file_row_number = true)
SEMI JOIN newest USING (filename, file_row_number);

CREATE TEMP TABLE parsed_till AS
WITH newest AS (
    SELECT filename, file_row_number
    FROM read_parquet('$out/bronze/pos_transactions/*/*.parquet', filename = true, file_row_number = true)
    QUALIFY row_number() OVER (PARTITION BY natural_key ORDER BY source_updated_at DESC, record_id DESC) = 1
),

parsed AS (
    SELECT
        record_id,
        person_id,
        from_json(payload, '{
            "transaction_id": "VARCHAR", "line_id": "VARCHAR", "sold_at": "TIMESTAMPTZ", "store_id": "VARCHAR",
            "item_id": "VARCHAR", "title": "VARCHAR", "quantity": "INTEGER", "discount_amount": "DECIMAL(18,4)",
            "tax_amount": "DECIMAL(18,4)", "line_total": "DECIMAL(18,4)", "currency": "VARCHAR",
            "line_type": "VARCHAR", "tax_included": "BOOLEAN"
        }') AS doc
    FROM read_parquet('$out/bronze/pos_transactions/*/*.parquet', filename = true, file_row_number = true)
    SEMI JOIN newest USING (filename, file_row_number)
)

SELECT
    record_id,
    person_id,
    unnest(doc),
    CAST(
        doc.line_total + doc.discount_amount - CASE WHEN doc.tax_included THEN doc.tax_amount ELSE 0 END AS DECIMAL(18, 4)
    ) AS gross_amount
FROM parsed;

CREATE TABLE silver.order_lines AS
WITH exploded AS (
    SELECT
        split_part(doc.id, '/', -1) AS order_id,
        doc.createdAt AS ordered_at,
        doc.presentmentCurrencyCode AS currency,
        doc.taxesIncluded AS taxes_included,
        record_id,
        unnest(doc.lineItems.nodes) AS line
    FROM parsed_orders
),

amounts AS (
    SELECT
        *,
        line.originalUnitPriceSet.presentmentMoney.amount AS unit_price,
        CAST(coalesce(list_sum(list_transform(
            line.discountAllocations, lambda part: part.allocatedAmountSet.presentmentMoney.amount
        )), 0) AS DECIMAL(18, 4)) AS discount_amount,
        CAST(coalesce(list_sum(list_transform(
            line.taxLines, lambda part: part.priceSet.presentmentMoney.amount
        )), 0) AS DECIMAL(18, 4)) AS tax_amount
    FROM exploded
),

lines AS (
    SELECT
        'shopify' AS channel,
        order_id,
        split_part(line.id, '/', -1) AS line_id,
        line.sku AS item_id,
        split_part(line.product.id, '/', -1) AS product_id,
        line.title AS title,
        line.quantity AS quantity,
        currency,
        CAST(
            unit_price * line.quantity - CASE WHEN taxes_included THEN tax_amount ELSE 0 END AS DECIMAL(18, 4)
        ) AS gross_amount,
        discount_amount,
        tax_amount,
        ordered_at,
        record_id
    FROM amounts
    UNION ALL
    SELECT
        'pos',
        transaction_id,
        line_id,
        item_id,
        NULL,
        title,
        quantity,
        currency,
        gross_amount,
        discount_amount,
        tax_amount,
        sold_at,
        record_id
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
    FROM parsed_till
    WHERE line_type IS DISTINCT FROM 'return'
    GROUP BY transaction_id
),

shopify AS (
    SELECT
        orders.*,
        split_part(doc.id, '/', -1) AS order_id,
        sums.line_count,
        sums.lowest_quantity,
        sums.gross_amount,
        sums.discount_amount,
        CAST(
            coalesce(list_sum(list_transform(
                doc.shippingLines.nodes, lambda part: part.discountedPriceSet.presentmentMoney.amount
            )), 0)
            - CASE
                WHEN doc.taxesIncluded
                    THEN coalesce(doc.totalTaxSet.presentmentMoney.amount, 0) - coalesce(sums.tax_amount, 0)
                ELSE 0
            END AS DECIMAL(18, 4)
        ) AS shipping_amount,
        coalesce(doc.totalTaxSet.presentmentMoney.amount, 0) AS tax_amount,
        doc.totalPriceSet.presentmentMoney.amount AS total_amount,
        coalesce(doc.totalTipReceivedSet.presentmentMoney.amount, 0) AS tip,
        CASE WHEN doc.dutiesIncluded THEN 0 ELSE coalesce(doc.originalTotalDutiesSet.presentmentMoney.amount, 0) END
        + coalesce(doc.originalTotalAdditionalFeesSet.presentmentMoney.amount, 0) AS fees,
        CASE WHEN doc.dutiesIncluded THEN 0 ELSE coalesce(doc.currentTotalDutiesSet.presentmentMoney.amount, 0) END
        + coalesce(doc.currentTotalAdditionalFeesSet.presentmentMoney.amount, 0) AS current_fees
    FROM parsed_orders AS orders
    INNER JOIN sums ON sums.channel = 'shopify' AND sums.order_id = split_part(doc.id, '/', -1)
),

reckoned AS (
    SELECT *, total_amount - gross_amount + discount_amount - shipping_amount - tax_amount AS left_over
    FROM shopify
),

united AS (
    SELECT
        'shopify' AS channel,
        order_id,
        doc.name AS order_name,
        person_id,
        doc.createdAt AS ordered_at,
        CASE
            WHEN doc.cancelledAt IS NOT NULL THEN 'cancelled'
            WHEN doc.displayFinancialStatus IN ('REFUNDED', 'PARTIALLY_REFUNDED') THEN lower(doc.displayFinancialStatus)
            WHEN doc.displayFulfillmentStatus = 'FULFILLED' THEN 'completed'
            ELSE 'open'
        END AS status,
        coalesce(lower(doc.displayFinancialStatus), 'pending') AS payment_status,
        coalesce(lower(doc.displayFulfillmentStatus), 'unfulfilled') AS fulfilment_status,
        coalesce(doc.test, false) AS is_test,
        coalesce(doc.displayFinancialStatus IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED'), false) AS is_paid,
        doc.cancelledAt AS cancelled_at,
        doc.presentmentCurrencyCode AS currency,
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
            WHEN doc.presentmentCurrencyCode = doc.currencyCode THEN CAST(1 AS DECIMAL(20, 12))
            ELSE exact_rate(doc.totalPriceSet.shopMoney.amount, total_amount)
        END AS channel_fx_rate,
        doc.currencyCode AS settlement_currency,
        doc.shippingAddress.countryCodeV2 AS ship_country,
        doc.shippingAddress.zip AS ship_postcode_area,
        NULL AS store_id,
        source_updated_at,
        record_id,
        line_count
    FROM reckoned
    WHERE lowest_quantity >= 0
    UNION ALL
    SELECT
        'pos',
        sums.order_id,
        sums.order_id,
        receipts.person_id,
        sums.ordered_at,
        'completed',
        'paid',
        'fulfilled',
        false,
        true,
        NULL,
        sums.currency,
        sums.gross_amount,
        sums.discount_amount,
        0,
        sums.tax_amount,
        0,
        sums.total_amount,
        NULL,
        sums.currency,
        NULL,
        NULL,
        receipts.store_id,
        sums.ordered_at,
        sums.record_id,
        sums.line_count
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
WITH exploded AS (
    SELECT
        split_part(doc.id, '/', -1) AS order_id,
        doc.createdAt AS ordered_at,
        doc.taxesIncluded AS taxes_included,
        unnest(doc.refunds) AS refund
    FROM parsed_orders
    WHERE len(doc.refunds) > 0
),

amounts AS (
    SELECT
        *,
        coalesce(list_sum(list_transform(
            refund.refundLineItems.nodes, lambda part: part.totalTaxSet.presentmentMoney.amount
        )), 0) AS line_tax_amount,
        coalesce(list_sum(list_transform(
            refund.refundShippingLines.nodes, lambda part: part.subtotalAmountSet.presentmentMoney.amount
        )), 0) AS shipping_amount,
        coalesce(list_sum(list_transform(
            refund.refundShippingLines.nodes, lambda part: part.taxAmountSet.presentmentMoney.amount
        )), 0) AS shipping_tax_amount,
        coalesce(list_sum(list_transform(
            refund.duties, lambda part: part.amountSet.presentmentMoney.amount
        )), 0) AS duty_amount
    FROM exploded
),

given_back AS (
    SELECT
        'shopify' AS channel,
        coalesce(refund.legacyResourceId, concat('missing:', amounts.order_id)) AS refund_id,
        amounts.order_id,
        coalesce(refund.processedAt, refund.createdAt, amounts.ordered_at) AS refunded_at,
        refund.totalRefundedSet.presentmentMoney.currencyCode AS currency,
        refund.totalRefundedSet.presentmentMoney.amount AS refund_amount,
        line_tax_amount + shipping_tax_amount AS refund_tax_amount,
        amounts.shipping_amount - CASE WHEN taxes_included THEN shipping_tax_amount ELSE 0 END AS refund_shipping_amount,
        CASE
            WHEN refund.totalRefundedSet.presentmentMoney.amount >= orders.total_amount THEN orders.surcharge_amount
            ELSE duty_amount
        END AS refund_surcharge_amount,
        coalesce(list_bool_or(list_transform(refund.refundLineItems.nodes, lambda part: part.restocked)), false)
            AS is_restocked,
        amounts.ordered_at
    FROM amounts
    LEFT JOIN silver.orders AS orders ON orders.channel = 'shopify' AND orders.order_id = amounts.order_id
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
    FROM parsed_till AS till
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

-- phase: gold
CREATE TABLE gold.fct_refunds AS
WITH valued AS (
    SELECT
        refunds.* EXCLUDE (ordered_at),
        coalesce(refunds.order_id, concat('refund:', refunds.refund_id)) AS order_key,
        orders.order_id IS NULL OR (orders.is_paid AND NOT orders.is_test) AS is_counted,
        rates.fx_rate,
        CASE WHEN refunds.currency = 'EUR' THEN refunds.business_date ELSE rates.source_rate_date END AS fx_rate_date,
        CAST(
            refunds.refund_amount - refunds.refund_tax_amount - refunds.refund_surcharge_amount AS DECIMAL(18, 4)
        ) AS refund_ex_tax_amount
    FROM silver.refunds AS refunds
    LEFT JOIN silver.orders AS orders ON orders.channel = refunds.channel AND orders.order_id = refunds.order_id
    LEFT JOIN silver.fx_daily AS rates
        ON rates.currency = refunds.currency AND rates.rate_date = refunds.business_date
)

SELECT
    *,
    CAST(round(refund_amount * fx_rate, 4) AS DECIMAL(18, 4)) AS refund_base,
    CAST(round(refund_tax_amount * fx_rate, 4) AS DECIMAL(18, 4)) AS refund_tax_base,
    CAST(round(refund_ex_tax_amount * fx_rate, 4) AS DECIMAL(18, 4)) AS refund_ex_tax_base,
    CAST(round(refund_shipping_amount * fx_rate, 4) AS DECIMAL(18, 4)) AS refund_shipping_base,
    CAST(round(refund_surcharge_amount * fx_rate, 4) AS DECIMAL(18, 4)) AS refund_surcharge_base
FROM valued;

CREATE TABLE gold.fct_order_lines AS
SELECT
    lines.channel,
    lines.order_id,
    lines.line_id,
    lines.item_id,
    lines.product_id,
    lines.title,
    lines.ordered_at,
    lines.business_date,
    orders.is_paid AND NOT orders.is_test AS is_sale,
    lines.quantity,
    lines.currency,
    rates.fx_rate,
    CASE WHEN lines.currency = 'EUR' THEN lines.business_date ELSE rates.source_rate_date END AS fx_rate_date,
    lines.price_amount,
    CAST(round(lines.price_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS price_base,
    lines.gross_amount,
    CAST(round(lines.gross_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS gross_base,
    lines.discount_amount,
    CAST(round(lines.discount_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS discount_base,
    lines.tax_amount,
    CAST(round(lines.tax_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS tax_base,
    lines.line_total_amount,
    CAST(round(lines.line_total_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS line_total_base,
    CAST(NULL AS DECIMAL(18, 4)) AS item_cost_base
FROM silver.order_lines AS lines
INNER JOIN silver.orders AS orders ON orders.channel = lines.channel AND orders.order_id = lines.order_id
LEFT JOIN silver.fx_daily AS rates ON rates.currency = lines.currency AND rates.rate_date = lines.business_date;

CREATE TABLE gold.fct_orders AS
WITH units AS (
    SELECT channel, order_id, CAST(sum(quantity) AS INTEGER) AS units
    FROM gold.fct_order_lines
    GROUP BY channel, order_id
),

refunds AS (
    SELECT
        channel,
        order_id,
        sum(refund_amount) AS refund_amount,
        sum(refund_base) AS refund_base,
        sum(refund_tax_amount) AS refund_tax_amount,
        sum(refund_tax_base) AS refund_tax_base,
        sum(refund_ex_tax_amount) AS refund_ex_tax_amount,
        sum(refund_ex_tax_base) AS refund_ex_tax_base
    FROM gold.fct_refunds
    WHERE order_id IS NOT NULL
    GROUP BY channel, order_id
),

valued AS (
    SELECT
        orders.* EXCLUDE (source_updated_at, record_id),
        orders.is_paid AND NOT orders.is_test AS is_sale,
        CAST(NULL AS VARCHAR) AS ship_region,
        CAST(NULL AS DECIMAL(9, 1)) AS distance_km,
        CAST(NULL AS VARCHAR) AS zone,
        coalesce(units.units, 0) AS units,
        rates.fx_rate,
        CASE WHEN orders.currency = 'EUR' THEN orders.business_date ELSE rates.source_rate_date END AS fx_rate_date,
        CAST(round(orders.gross_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS gross_base,
        CAST(round(orders.discount_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS discount_base,
        CAST(round(orders.shipping_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS shipping_base,
        CAST(round(orders.tax_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS tax_base,
        CAST(round(orders.surcharge_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS surcharge_base,
        CAST(round(orders.total_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS total_base,
        CAST(0 AS DECIMAL(18, 4)) AS fee_amount,
        CAST(0 AS DECIMAL(18, 4)) AS fee_base,
        CAST(coalesce(refunds.refund_amount, 0) AS DECIMAL(18, 4)) AS refund_amount,
        CAST(coalesce(refunds.refund_base, 0) AS DECIMAL(18, 4)) AS refund_base,
        CAST(coalesce(refunds.refund_tax_amount, 0) AS DECIMAL(18, 4)) AS refund_tax_amount,
        CAST(coalesce(refunds.refund_tax_base, 0) AS DECIMAL(18, 4)) AS refund_tax_base,
        CAST(coalesce(refunds.refund_ex_tax_amount, 0) AS DECIMAL(18, 4)) AS refund_ex_tax_amount,
        CAST(coalesce(refunds.refund_ex_tax_base, 0) AS DECIMAL(18, 4)) AS refund_ex_tax_base,
        CAST(0 AS DECIMAL(18, 4)) AS item_cost_base
    FROM silver.orders AS orders
    LEFT JOIN units ON units.channel = orders.channel AND units.order_id = orders.order_id
    LEFT JOIN refunds ON refunds.channel = orders.channel AND refunds.order_id = orders.order_id
    LEFT JOIN silver.fx_daily AS rates ON rates.currency = orders.currency AND rates.rate_date = orders.business_date
)

SELECT
    *,
    CAST(gross_amount - discount_amount + shipping_amount - refund_ex_tax_amount AS DECIMAL(18, 4)) AS net_amount,
    CAST(gross_base - discount_base + shipping_base - refund_ex_tax_base AS DECIMAL(18, 4)) AS net_base,
    CAST(
        gross_base - discount_base + shipping_base - refund_ex_tax_base - item_cost_base - fee_base AS DECIMAL(18, 4)
    ) AS contribution_base
FROM valued;

CREATE TABLE gold.agg_daily_sales AS
WITH sales AS (
    SELECT
        business_date,
        channel,
        count(*) AS orders,
        sum(units) AS units,
        sum(gross_base) AS gross_base,
        sum(discount_base) AS discount_base,
        sum(shipping_base) AS shipping_base,
        sum(tax_base) AS tax_base,
        sum(item_cost_base) AS item_cost_base
    FROM gold.fct_orders
    WHERE is_sale
    GROUP BY business_date, channel
),

refunds AS (
    SELECT business_date, channel, count(*) AS refunds, sum(refund_ex_tax_base) AS refund_base
    FROM gold.fct_refunds
    WHERE is_counted
    GROUP BY business_date, channel
)

SELECT
    business_date,
    channel,
    CAST(coalesce(sales.orders, 0) AS INTEGER) AS orders,
    CAST(coalesce(sales.units, 0) AS INTEGER) AS units,
    CAST(coalesce(refunds.refunds, 0) AS INTEGER) AS refunds,
    CAST(coalesce(sales.gross_base, 0) AS DECIMAL(18, 4)) AS gross_base,
    CAST(coalesce(sales.discount_base, 0) AS DECIMAL(18, 4)) AS discount_base,
    CAST(coalesce(sales.shipping_base, 0) AS DECIMAL(18, 4)) AS shipping_base,
    CAST(coalesce(sales.tax_base, 0) AS DECIMAL(18, 4)) AS tax_base,
    CAST(coalesce(refunds.refund_base, 0) AS DECIMAL(18, 4)) AS refund_base,
    CAST(
        coalesce(sales.gross_base, 0) + coalesce(sales.shipping_base, 0) - coalesce(sales.discount_base, 0)
        - coalesce(refunds.refund_base, 0) AS DECIMAL(18, 4)
    ) AS net_base,
    CAST(coalesce(sales.item_cost_base, 0) AS DECIMAL(18, 4)) AS item_cost_base
FROM sales
FULL JOIN refunds USING (business_date, channel);

-- phase: publish
COPY silver.orders TO '$out/silver/orders.parquet' (FORMAT parquet, COMPRESSION zstd);

COPY silver.order_lines TO '$out/silver/order_lines.parquet' (FORMAT parquet, COMPRESSION zstd);

COPY silver.refunds TO '$out/silver/refunds.parquet' (FORMAT parquet, COMPRESSION zstd);

COPY gold.fct_orders TO '$out/gold/fct_orders.parquet' (FORMAT parquet, COMPRESSION zstd);

COPY gold.fct_order_lines TO '$out/gold/fct_order_lines.parquet' (FORMAT parquet, COMPRESSION zstd);

COPY gold.fct_refunds TO '$out/gold/fct_refunds.parquet' (FORMAT parquet, COMPRESSION zstd);

COPY gold.agg_daily_sales TO '$out/gold/agg_daily_sales.parquet' (FORMAT parquet, COMPRESSION zstd);
