-- Raw records to gold in plain SQL: what one would write without this platform. Nothing is sealed, nobody is in a vault,
-- nothing is incremental; the same rules, and the same gold to the cent. $raw and $out are folders.

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
CREATE SCHEMA silver;

CREATE SCHEMA gold;

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
    SELECT source_rate_date, 'EUR', 1
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
        "refundLineItems": {"nodes": [{"totalTaxSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}}}]},
        "refundShippingLines": {"nodes": [{"taxAmountSet": {"presentmentMoney": {"amount": "DECIMAL(18,4)"}}}]}
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
        CAST(sum(gross_amount) AS DECIMAL(18, 4)) AS gross_amount,
        CAST(sum(discount_amount) AS DECIMAL(18, 4)) AS discount_amount,
        CAST(sum(tax_amount) AS DECIMAL(18, 4)) AS tax_amount,
        CAST(sum(line_total_amount) AS DECIMAL(18, 4)) AS total_amount,
        any_value(currency) AS currency,
        min(ordered_at) AS ordered_at,
        max(record_id) AS record_id
    FROM silver.order_lines
    GROUP BY channel, order_id
),

receipts AS (
    SELECT transaction_id, max(person_id) AS person_id, max(store_id) AS store_id
    FROM parsed_till
    WHERE line_type = 'sale'
    GROUP BY transaction_id
),

united AS (
    SELECT
        'shopify' AS channel,
        sums.order_id,
        doc.name AS order_name,
        orders.person_id,
        doc.createdAt AS ordered_at,
        CASE
            WHEN doc.cancelledAt IS NOT NULL THEN 'cancelled'
            WHEN doc.displayFinancialStatus IN ('REFUNDED', 'PARTIALLY_REFUNDED') THEN lower(doc.displayFinancialStatus)
            WHEN doc.displayFulfillmentStatus = 'FULFILLED' THEN 'completed'
            ELSE 'open'
        END AS status,
        lower(doc.displayFinancialStatus) AS payment_status,
        lower(doc.displayFulfillmentStatus) AS fulfilment_status,
        doc.test AS is_test,
        doc.displayFinancialStatus IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED') AS is_paid,
        doc.cancelledAt AS cancelled_at,
        doc.presentmentCurrencyCode AS currency,
        sums.gross_amount,
        sums.discount_amount,
        CAST(
            coalesce(list_sum(list_transform(
                doc.shippingLines.nodes, lambda part: part.discountedPriceSet.presentmentMoney.amount
            )), 0)
            - CASE
                WHEN doc.taxesIncluded THEN doc.totalTaxSet.presentmentMoney.amount - sums.tax_amount ELSE 0
            END AS DECIMAL(18, 4)
        ) AS shipping_amount,
        doc.totalTaxSet.presentmentMoney.amount AS tax_amount,
        doc.totalPriceSet.presentmentMoney.amount AS total_amount,
        CAST(
            doc.totalPriceSet.shopMoney.amount / doc.totalPriceSet.presentmentMoney.amount AS DECIMAL(20, 12)
        ) AS channel_fx_rate,
        doc.currencyCode AS settlement_currency,
        doc.shippingAddress.countryCodeV2 AS ship_country,
        doc.shippingAddress.zip AS ship_postcode_area,
        NULL AS store_id,
        orders.source_updated_at,
        orders.record_id
    FROM parsed_orders AS orders
    INNER JOIN sums ON sums.channel = 'shopify' AND sums.order_id = split_part(doc.id, '/', -1)
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
        sums.total_amount,
        NULL,
        sums.currency,
        NULL,
        NULL,
        receipts.store_id,
        sums.ordered_at,
        sums.record_id
    FROM sums
    INNER JOIN receipts ON receipts.transaction_id = sums.order_id
    WHERE sums.channel = 'pos'
)

SELECT *, CAST(timezone('Europe/Dublin', ordered_at) AS DATE) AS business_date
FROM united
WHERE abs(gross_amount - discount_amount + shipping_amount + tax_amount - total_amount) <= 0.02;

CREATE TABLE silver.refunds AS
WITH exploded AS (
    SELECT split_part(doc.id, '/', -1) AS order_id, unnest(doc.refunds) AS refund
    FROM parsed_orders
    WHERE len(doc.refunds) > 0
),

given_back AS (
    SELECT
        'shopify' AS channel,
        refund.legacyResourceId AS refund_id,
        order_id,
        coalesce(refund.processedAt, refund.createdAt) AS refunded_at,
        refund.totalRefundedSet.presentmentMoney.currencyCode AS currency,
        refund.totalRefundedSet.presentmentMoney.amount AS refund_amount,
        coalesce(list_sum(list_transform(
            refund.refundLineItems.nodes, lambda part: part.totalTaxSet.presentmentMoney.amount
        )), 0)
        + coalesce(list_sum(list_transform(
            refund.refundShippingLines.nodes, lambda part: part.taxAmountSet.presentmentMoney.amount
        )), 0) AS refund_tax_amount
    FROM exploded
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

-- phase: gold
CREATE TABLE gold.fct_refunds AS
SELECT
    refunds.*,
    rates.fx_rate,
    orders.order_id IS NULL OR (orders.is_paid AND NOT orders.is_test) AS is_counted,
    CAST(round(refund_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS refund_base,
    CAST(round((refund_amount - refund_tax_amount) * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS refund_ex_tax_base
FROM silver.refunds
LEFT JOIN silver.orders ON orders.channel = refunds.channel AND orders.order_id = refunds.order_id
LEFT JOIN silver.fx_daily AS rates ON rates.currency = refunds.currency AND rates.rate_date = refunds.business_date;

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
    rates.source_rate_date AS fx_rate_date,
    lines.price_amount,
    CAST(round(lines.price_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS price_base,
    lines.gross_amount,
    CAST(round(lines.gross_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS gross_base,
    lines.discount_amount,
    CAST(round(lines.discount_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS discount_base,
    lines.tax_amount,
    CAST(round(lines.tax_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS tax_base,
    lines.line_total_amount,
    CAST(round(lines.line_total_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS line_total_base
FROM silver.order_lines AS lines
INNER JOIN silver.orders AS orders ON orders.channel = lines.channel AND orders.order_id = lines.order_id
LEFT JOIN silver.fx_daily AS rates ON rates.currency = lines.currency AND rates.rate_date = lines.business_date;

CREATE TABLE gold.fct_orders AS
WITH units AS (
    SELECT channel, order_id, sum(quantity) AS units
    FROM gold.fct_order_lines
    GROUP BY channel, order_id
),

refunds AS (
    SELECT
        channel,
        order_id,
        sum(refund_amount) AS refund_amount,
        sum(refund_base) AS refund_base,
        sum(refund_ex_tax_base) AS refund_ex_tax_base
    FROM gold.fct_refunds
    WHERE order_id IS NOT NULL
    GROUP BY channel, order_id
)

SELECT
    orders.*,
    units.units,
    rates.fx_rate,
    rates.source_rate_date AS fx_rate_date,
    orders.is_paid AND NOT orders.is_test AS is_sale,
    CAST(round(orders.gross_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS gross_base,
    CAST(round(orders.discount_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS discount_base,
    CAST(round(orders.shipping_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS shipping_base,
    CAST(round(orders.tax_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS tax_base,
    CAST(round(orders.total_amount * rates.fx_rate, 4) AS DECIMAL(18, 4)) AS total_base,
    CAST(coalesce(refunds.refund_amount, 0) AS DECIMAL(18, 4)) AS refund_amount,
    CAST(coalesce(refunds.refund_base, 0) AS DECIMAL(18, 4)) AS refund_base,
    CAST(
        gross_base - discount_base + shipping_base - coalesce(refunds.refund_ex_tax_base, 0) AS DECIMAL(18, 4)
    ) AS net_base
FROM silver.orders AS orders
LEFT JOIN units ON units.channel = orders.channel AND units.order_id = orders.order_id
LEFT JOIN refunds ON refunds.channel = orders.channel AND refunds.order_id = orders.order_id
LEFT JOIN silver.fx_daily AS rates ON rates.currency = orders.currency AND rates.rate_date = orders.business_date;

CREATE TABLE gold.agg_daily_sales AS
WITH sales AS (
    SELECT
        business_date,
        channel,
        count(*) AS orders,
        sum(units) AS units,
        sum(gross_base) AS gross_base,
        sum(discount_base) AS discount_base,
        sum(shipping_base) AS shipping_base
    FROM gold.fct_orders
    WHERE is_sale
    GROUP BY business_date, channel
),

refunds AS (
    SELECT business_date, channel, sum(refund_ex_tax_base) AS refund_base
    FROM gold.fct_refunds
    WHERE is_counted
    GROUP BY business_date, channel
)

SELECT
    business_date,
    channel,
    coalesce(sales.orders, 0) AS orders,
    coalesce(sales.units, 0) AS units,
    CAST(coalesce(sales.gross_base, 0) AS DECIMAL(18, 4)) AS gross_base,
    CAST(coalesce(sales.discount_base, 0) AS DECIMAL(18, 4)) AS discount_base,
    CAST(coalesce(sales.shipping_base, 0) AS DECIMAL(18, 4)) AS shipping_base,
    CAST(coalesce(refunds.refund_base, 0) AS DECIMAL(18, 4)) AS refund_base,
    CAST(
        coalesce(sales.gross_base, 0) + coalesce(sales.shipping_base, 0) - coalesce(sales.discount_base, 0)
        - coalesce(refunds.refund_base, 0) AS DECIMAL(18, 4)
    ) AS net_base
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
