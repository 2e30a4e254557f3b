-- Raw records to gold in Spark SQL; the counterpart of duckdb_plain.sql, in its words. $out is a folder.

-- phase: silver
CREATE TEMPORARY VIEW fx_daily AS
WITH documents AS (
    SELECT from_json(payload, 'date DATE, rates MAP<STRING, STRING>') AS doc
    FROM parquet.`$out/bronze/fx_ecb_rates`
),

rates AS (
    SELECT doc.date AS source_rate_date, currency, CAST(round(1 / CAST(rate AS DOUBLE), 12) AS DECIMAL(20, 12)) AS fx_rate
    FROM documents
    LATERAL VIEW explode(doc.rates) AS currency, rate
    UNION ALL
    SELECT doc.date, 'EUR', CAST(1 AS DECIMAL(20, 12))
    FROM documents
),

followed AS (
    SELECT *, lead(source_rate_date) OVER (PARTITION BY currency ORDER BY source_rate_date) AS next_rate_date
    FROM rates
)

SELECT date_add(source_rate_date, age) AS rate_date, currency, fx_rate, source_rate_date
FROM followed
LATERAL VIEW explode(sequence(0, 7)) AS age
WHERE next_rate_date IS NULL OR date_add(source_rate_date, age) < next_rate_date;

CREATE TEMPORARY VIEW parsed_orders AS
WITH ranked AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY natural_key ORDER BY source_updated_at DESC, record_id DESC) AS version_rank
    FROM (
        SELECT
            natural_key,
            source_updated_at,
            record_id,
            person_id,
            from_json(payload, '
                id STRING, name STRING, createdAt TIMESTAMP, cancelledAt TIMESTAMP, test BOOLEAN,
                displayFinancialStatus STRING, displayFulfillmentStatus STRING, currencyCode STRING,
                presentmentCurrencyCode STRING, taxesIncluded BOOLEAN,
                shippingAddress STRUCT<countryCodeV2: STRING, zip: STRING>,
                dutiesIncluded BOOLEAN, totalTipReceivedSet STRUCT<presentmentMoney: STRUCT<amount: STRING>>,
                originalTotalDutiesSet STRUCT<presentmentMoney: STRUCT<amount: STRING>>,
                currentTotalDutiesSet STRUCT<presentmentMoney: STRUCT<amount: STRING>>,
                originalTotalAdditionalFeesSet STRUCT<presentmentMoney: STRUCT<amount: STRING>>,
                currentTotalAdditionalFeesSet STRUCT<presentmentMoney: STRUCT<amount: STRING>>,
                totalTaxSet STRUCT<presentmentMoney: STRUCT<amount: STRING>>,
                totalPriceSet STRUCT<presentmentMoney: STRUCT<amount: STRING>, shopMoney: STRUCT<amount: STRING>>,
                shippingLines STRUCT<nodes: ARRAY<STRUCT<discountedPriceSet: STRUCT<presentmentMoney: STRUCT<amount: STRING>>>>>,
                lineItems STRUCT<nodes: ARRAY<STRUCT<
                    id: STRING, sku: STRING, title: STRING, quantity: INT, product: STRUCT<id: STRING>,
                    originalUnitPriceSet: STRUCT<presentmentMoney: STRUCT<amount: STRING>>,
                    discountAllocations: ARRAY<STRUCT<allocatedAmountSet: STRUCT<presentmentMoney: STRUCT<amount: STRING>>>>,
                    taxLines: ARRAY<STRUCT<priceSet: STRUCT<presentmentMoney: STRUCT<amount: STRING>>>>
                >>>,
                refunds ARRAY<STRUCT<
                    legacyResourceId: STRING, createdAt: TIMESTAMP, processedAt: TIMESTAMP,
                    totalRefundedSet: STRUCT<presentmentMoney: STRUCT<amount: STRING, currencyCode: STRING>>,
                    duties: ARRAY<STRUCT<amountSet: STRUCT<presentmentMoney: STRUCT<amount: STRING>>>>,
                    refundLineItems: STRUCT<nodes: ARRAY<STRUCT<
                        restocked: BOOLEAN, totalTaxSet: STRUCT<presentmentMoney: STRUCT<amount: STRING>>
                    >>>,
                    refundShippingLines: STRUCT<nodes: ARRAY<STRUCT<
                        subtotalAmountSet: STRUCT<presentmentMoney: STRUCT<amount: STRING>>,
                        taxAmountSet: STRUCT<presentmentMoney: STRUCT<amount: STRING>>
                    >>>
                >>
            ') AS doc
        FROM parquet.`$out/bronze/shopify_orders`
    )
)

SELECT * FROM ranked WHERE version_rank = 1;

CREATE TEMPORARY VIEW make_orders_once AS
SELECT *, substring_index(doc.id, '/', -1) AS order_id
FROM parsed_orders;

-- write: parsed/orders make_orders_once

CREATE TEMPORARY VIEW make_till_once AS
WITH ranked AS (
    SELECT
        record_id,
        person_id,
        from_json(payload, '
            transaction_id STRING, line_id STRING, sold_at TIMESTAMP, store_id STRING, item_id STRING, title STRING,
            quantity STRING, discount_amount STRING, tax_amount STRING, line_total STRING, currency STRING, line_type STRING,
            tax_included STRING
        ') AS doc,
        row_number() OVER (PARTITION BY natural_key ORDER BY source_updated_at DESC, record_id DESC) AS version_rank
    FROM parquet.`$out/bronze/pos_transactions`
),

typed AS (
    SELECT
        record_id,
        person_id,
        doc.*,
        CAST(doc.discount_amount AS DECIMAL(18, 4)) AS discount,
        CAST(doc.tax_amount AS DECIMAL(18, 4)) AS tax,
        CAST(doc.line_total AS DECIMAL(18, 4)) AS total
    FROM ranked
    WHERE version_rank = 1
)

SELECT
    *,
    CAST(total + discount - CASE WHEN tax_included = 'true' THEN tax ELSE 0 END AS DECIMAL(18, 4)) AS gross_amount
FROM typed;

-- write: parsed/till make_till_once

CREATE TEMPORARY VIEW make_order_lines AS
WITH exploded AS (
    SELECT
        order_id,
        doc.createdAt AS ordered_at,
        doc.presentmentCurrencyCode AS currency,
        doc.taxesIncluded AS taxes_included,
        record_id,
        explode(doc.lineItems.nodes) AS line
    FROM parquet.`$out/parsed/orders`
),

amounts AS (
    SELECT
        *,
        CAST(line.originalUnitPriceSet.presentmentMoney.amount AS DECIMAL(18, 4)) AS unit_price,
        aggregate(
            line.discountAllocations, CAST(0 AS DECIMAL(18, 4)), (total, part) -> CAST(
                total + CAST(part.allocatedAmountSet.presentmentMoney.amount AS DECIMAL(18, 4)) AS DECIMAL(18, 4)
            )
        ) AS discount_amount,
        aggregate(
            line.taxLines, CAST(0 AS DECIMAL(18, 4)), (total, part) -> CAST(
                total + CAST(part.priceSet.presentmentMoney.amount AS DECIMAL(18, 4)) AS DECIMAL(18, 4)
            )
        ) AS tax_amount
    FROM exploded
),

lines AS (
    SELECT
        'shopify' AS channel,
        order_id,
        substring_index(line.id, '/', -1) AS line_id,
        line.sku AS item_id,
        substring_index(line.product.id, '/', -1) AS product_id,
        line.title AS title,
        line.quantity AS quantity,
        currency,
        CAST(unit_price * line.quantity - CASE WHEN taxes_included THEN tax_amount ELSE 0 END AS DECIMAL(18, 4))
            AS gross_amount,
        discount_amount,
        tax_amount,
        ordered_at,
        record_id
    FROM amounts
    UNION ALL
    SELECT
        'pos', transaction_id, line_id, item_id, NULL, title, CAST(quantity AS INT), currency, gross_amount, discount, tax,
        sold_at, record_id
    FROM parquet.`$out/parsed/till`
    WHERE line_type = 'sale'
)

SELECT
    *,
    CAST(round(gross_amount / quantity, 4) AS DECIMAL(18, 4)) AS price_amount,
    CAST(gross_amount - discount_amount + tax_amount AS DECIMAL(18, 4)) AS line_total_amount,
    CAST(from_utc_timestamp(ordered_at, 'Europe/Dublin') AS DATE) AS business_date
FROM lines;

-- write: silver/order_lines make_order_lines

CREATE TEMPORARY VIEW make_orders AS
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
    FROM parquet.`$out/silver/order_lines`
    GROUP BY channel, order_id
),

receipts AS (
    SELECT
        transaction_id,
        max(person_id) AS person_id,
        max(store_id) AS store_id,
        bool_and(coalesce(line_type = 'sale', false)) AS has_known_lines
    FROM parquet.`$out/parsed/till`
    WHERE NOT line_type <=> 'return'
    GROUP BY transaction_id
),

typed AS (
    SELECT
        *,
        coalesce(CAST(doc.totalTaxSet.presentmentMoney.amount AS DECIMAL(18, 4)), 0) AS order_tax,
        CAST(doc.totalPriceSet.presentmentMoney.amount AS DECIMAL(18, 4)) AS order_total,
        coalesce(CAST(doc.totalTipReceivedSet.presentmentMoney.amount AS DECIMAL(18, 4)), 0) AS tip,
        CAST(
            CASE
                WHEN doc.dutiesIncluded THEN 0
                ELSE coalesce(CAST(doc.originalTotalDutiesSet.presentmentMoney.amount AS DECIMAL(18, 4)), 0)
            END + coalesce(CAST(doc.originalTotalAdditionalFeesSet.presentmentMoney.amount AS DECIMAL(18, 4)), 0) AS DECIMAL(18, 4)
        ) AS fees,
        CAST(
            CASE
                WHEN doc.dutiesIncluded THEN 0
                ELSE coalesce(CAST(doc.currentTotalDutiesSet.presentmentMoney.amount AS DECIMAL(18, 4)), 0)
            END + coalesce(CAST(doc.currentTotalAdditionalFeesSet.presentmentMoney.amount AS DECIMAL(18, 4)), 0) AS DECIMAL(18, 4)
        ) AS current_fees,
        aggregate(
            doc.shippingLines.nodes, CAST(0 AS DECIMAL(18, 4)), (total, part) -> CAST(
                total + CAST(part.discountedPriceSet.presentmentMoney.amount AS DECIMAL(18, 4)) AS DECIMAL(18, 4)
            )
        ) AS shipping
    FROM parquet.`$out/parsed/orders`
),

shopify AS (
    SELECT
        typed.*,
        sums.line_count,
        sums.lowest_quantity,
        sums.gross_amount,
        sums.discount_amount,
        CAST(shipping - CASE WHEN doc.taxesIncluded THEN order_tax - sums.tax_amount ELSE 0 END AS DECIMAL(18, 4))
            AS shipping_amount
    FROM typed
    INNER JOIN sums ON sums.channel = 'shopify' AND sums.order_id = typed.order_id
),

reckoned AS (
    SELECT *, order_total - gross_amount + discount_amount - shipping_amount - order_tax AS left_over
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
        CAST(order_tax AS DECIMAL(18, 4)) AS tax_amount,
        CAST(CASE
            WHEN abs(left_over) <= 0.01 * line_count THEN 0
            WHEN abs(left_over - tip - fees) <= 0.01 * line_count THEN tip + fees
            WHEN abs(left_over - tip - current_fees) <= 0.01 * line_count THEN tip + current_fees
            WHEN abs(left_over - fees) <= 0.01 * line_count THEN fees
            ELSE tip + fees
        END AS DECIMAL(18, 4)) AS surcharge_amount,
        order_total AS total_amount,
        CASE
            WHEN doc.presentmentCurrencyCode = doc.currencyCode THEN CAST(1 AS DECIMAL(20, 12))
            ELSE CAST(CAST(doc.totalPriceSet.shopMoney.amount AS DECIMAL(18, 4)) / order_total AS DECIMAL(20, 12))
        END AS channel_fx_rate,
        doc.currencyCode AS settlement_currency,
        doc.shippingAddress.countryCodeV2 AS ship_country,
        doc.shippingAddress.zip AS ship_postcode_area,
        NULL AS store_id,
        record_id,
        line_count
    FROM reckoned
    WHERE lowest_quantity >= 0
    UNION ALL
    SELECT
        'pos', sums.order_id, sums.order_id, receipts.person_id, sums.ordered_at, 'completed', 'paid', 'fulfilled', false,
        true, NULL, sums.currency, sums.gross_amount, sums.discount_amount, CAST(0 AS DECIMAL(18, 4)), sums.tax_amount,
        CAST(0 AS DECIMAL(18, 4)), sums.total_amount, NULL, sums.currency, NULL, NULL, receipts.store_id, sums.record_id,
        sums.line_count
    FROM sums
    INNER JOIN receipts ON receipts.transaction_id = sums.order_id
    WHERE sums.channel = 'pos'
        AND sums.lowest_quantity >= 0
        AND sums.lines_without_total = 0
        AND sums.currency = sums.other_currency
        AND receipts.has_known_lines
)

SELECT *, CAST(from_utc_timestamp(ordered_at, 'Europe/Dublin') AS DATE) AS business_date
FROM united
WHERE order_id <> ''
    AND ordered_at IS NOT NULL
    AND length(currency) = 3
    AND abs(gross_amount - discount_amount + shipping_amount + tax_amount + surcharge_amount - total_amount)
    <= 0.01 * line_count;

-- write: silver/orders make_orders

CREATE TEMPORARY VIEW make_refunds AS
WITH exploded AS (
    SELECT order_id, doc.createdAt AS ordered_at, doc.taxesIncluded AS taxes_included, explode(doc.refunds) AS refund
    FROM parquet.`$out/parsed/orders`
),

amounts AS (
    SELECT
        *,
        CAST(refund.totalRefundedSet.presentmentMoney.amount AS DECIMAL(18, 4)) AS refund_amount,
        aggregate(
            refund.refundLineItems.nodes, CAST(0 AS DECIMAL(18, 4)), (total, part) -> CAST(
                total + CAST(part.totalTaxSet.presentmentMoney.amount AS DECIMAL(18, 4)) AS DECIMAL(18, 4)
            )
        ) AS line_tax_amount,
        aggregate(
            refund.refundShippingLines.nodes, CAST(0 AS DECIMAL(18, 4)), (total, part) -> CAST(
                total + CAST(part.subtotalAmountSet.presentmentMoney.amount AS DECIMAL(18, 4)) AS DECIMAL(18, 4)
            )
        ) AS shipping_amount,
        aggregate(
            refund.refundShippingLines.nodes, CAST(0 AS DECIMAL(18, 4)), (total, part) -> CAST(
                total + CAST(part.taxAmountSet.presentmentMoney.amount AS DECIMAL(18, 4)) AS DECIMAL(18, 4)
            )
        ) AS shipping_tax_amount,
        coalesce(aggregate(
            refund.duties, CAST(0 AS DECIMAL(18, 4)), (total, part) -> CAST(
                total + CAST(part.amountSet.presentmentMoney.amount AS DECIMAL(18, 4)) AS DECIMAL(18, 4)
            )
        ), CAST(0 AS DECIMAL(18, 4))) AS duty_amount
    FROM exploded
),

given_back AS (
    SELECT
        'shopify' AS channel,
        coalesce(refund.legacyResourceId, concat('missing:', amounts.order_id)) AS refund_id,
        amounts.order_id,
        coalesce(refund.processedAt, refund.createdAt, amounts.ordered_at) AS refunded_at,
        refund.totalRefundedSet.presentmentMoney.currencyCode AS currency,
        refund_amount,
        CAST(line_tax_amount + shipping_tax_amount AS DECIMAL(18, 4)) AS refund_tax_amount,
        CAST(
            amounts.shipping_amount - CASE WHEN taxes_included THEN shipping_tax_amount ELSE 0 END AS DECIMAL(18, 4)
        ) AS refund_shipping_amount,
        CASE WHEN refund_amount >= orders.total_amount THEN orders.surcharge_amount ELSE duty_amount END
            AS refund_surcharge_amount,
        exists(refund.refundLineItems.nodes, part -> coalesce(part.restocked, false)) AS is_restocked
    FROM amounts
    LEFT JOIN parquet.`$out/silver/orders` AS orders
        ON orders.channel = 'shopify' AND orders.order_id = amounts.order_id
    UNION ALL
    SELECT
        'pos',
        transaction_id,
        max(orders.order_id),
        min(sold_at),
        max(till.currency),
        CAST(-sum(till.gross_amount - till.discount + till.tax) AS DECIMAL(18, 4)),
        CAST(-sum(till.tax) AS DECIMAL(18, 4)),
        CAST(0 AS DECIMAL(18, 4)),
        CAST(0 AS DECIMAL(18, 4)),
        true
    FROM parquet.`$out/parsed/till` AS till
    LEFT JOIN parquet.`$out/silver/orders` AS orders ON orders.channel = 'pos' AND orders.order_id = till.transaction_id
    WHERE line_type = 'return'
        AND transaction_id <> ''
        AND sold_at IS NOT NULL
        AND length(till.currency) = 3
        AND CAST(quantity AS INT) <= 0
        AND till.gross_amount - till.discount + till.tax <= 0
    GROUP BY transaction_id
)

SELECT *, CAST(from_utc_timestamp(refunded_at, 'Europe/Dublin') AS DATE) AS business_date
FROM given_back
WHERE refund_id NOT LIKE 'missing:%'
    AND refunded_at IS NOT NULL
    AND length(currency) = 3
    AND refund_amount >= 0
    AND abs(refund_tax_amount) <= abs(refund_amount);

-- write: silver/refunds make_refunds

-- phase: gold
CREATE TEMPORARY VIEW make_fct_refunds AS
WITH valued AS (
    SELECT
        refunds.*,
        coalesce(refunds.order_id, concat('refund:', refunds.refund_id)) AS order_key,
        orders.order_id IS NULL OR (orders.is_paid AND NOT orders.is_test) AS is_counted,
        rates.fx_rate,
        CASE WHEN refunds.currency = 'EUR' THEN refunds.business_date ELSE rates.source_rate_date END AS fx_rate_date,
        CAST(
            refunds.refund_amount - refunds.refund_tax_amount - refunds.refund_surcharge_amount AS DECIMAL(18, 4)
        ) AS refund_ex_tax_amount
    FROM parquet.`$out/silver/refunds` AS refunds
    LEFT JOIN parquet.`$out/silver/orders` AS orders
        ON orders.channel = refunds.channel AND orders.order_id = refunds.order_id
    LEFT JOIN fx_daily AS rates ON rates.currency = refunds.currency AND rates.rate_date = refunds.business_date
)

SELECT
    *,
    CAST(round(refund_amount * fx_rate, 4) AS DECIMAL(18, 4)) AS refund_base,
    CAST(round(refund_tax_amount * fx_rate, 4) AS DECIMAL(18, 4)) AS refund_tax_base,
    CAST(round(refund_ex_tax_amount * fx_rate, 4) AS DECIMAL(18, 4)) AS refund_ex_tax_base,
    CAST(round(refund_shipping_amount * fx_rate, 4) AS DECIMAL(18, 4)) AS refund_shipping_base,
    CAST(round(refund_surcharge_amount * fx_rate, 4) AS DECIMAL(18, 4)) AS refund_surcharge_base
FROM valued;

-- write: gold/fct_refunds make_fct_refunds

CREATE TEMPORARY VIEW make_fct_order_lines AS
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
FROM parquet.`$out/silver/order_lines` AS lines
INNER JOIN parquet.`$out/silver/orders` AS orders
    ON orders.channel = lines.channel AND orders.order_id = lines.order_id
LEFT JOIN fx_daily AS rates ON rates.currency = lines.currency AND rates.rate_date = lines.business_date;

-- write: gold/fct_order_lines make_fct_order_lines

CREATE TEMPORARY VIEW make_fct_orders AS
WITH units AS (
    SELECT channel, order_id, CAST(sum(quantity) AS INT) AS units
    FROM parquet.`$out/gold/fct_order_lines`
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
    FROM parquet.`$out/gold/fct_refunds`
    WHERE order_id IS NOT NULL
    GROUP BY channel, order_id
),

summed AS (
    SELECT
        orders.*,
        orders.is_paid AND NOT orders.is_test AS is_sale,
        CAST(NULL AS STRING) AS ship_region,
        CAST(NULL AS DECIMAL(9, 1)) AS distance_km,
        CAST(NULL AS STRING) AS zone,
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
    FROM parquet.`$out/silver/orders` AS orders
    LEFT JOIN units ON units.channel = orders.channel AND units.order_id = orders.order_id
    LEFT JOIN refunds ON refunds.channel = orders.channel AND refunds.order_id = orders.order_id
    LEFT JOIN fx_daily AS rates ON rates.currency = orders.currency AND rates.rate_date = orders.business_date
),

valued AS (
    SELECT
        *,
        CAST(gross_amount - discount_amount + shipping_amount - refund_ex_tax_amount AS DECIMAL(18, 4)) AS net_amount,
        CAST(gross_base - discount_base + shipping_base - refund_ex_tax_base AS DECIMAL(18, 4)) AS net_base,
        CAST(
            gross_base - discount_base + shipping_base - refund_ex_tax_base - item_cost_base - fee_base AS DECIMAL(18, 4)
        ) AS contribution_base
    FROM summed
)

SELECT
    channel, order_id, order_name, person_id, ordered_at, business_date, status, payment_status, fulfilment_status, is_test,
    is_paid, is_sale, cancelled_at, ship_country, ship_region, ship_postcode_area, distance_km, zone, store_id, units, currency,
    settlement_currency, channel_fx_rate, fx_rate, fx_rate_date, gross_amount, gross_base, discount_amount, discount_base,
    shipping_amount, shipping_base, tax_amount, tax_base, surcharge_amount, surcharge_base, total_amount, total_base,
    fee_amount, fee_base, refund_amount, refund_base, refund_tax_amount, refund_tax_base, refund_ex_tax_amount,
    refund_ex_tax_base, net_amount, net_base, item_cost_base, contribution_base
FROM valued;

-- write: gold/fct_orders make_fct_orders

CREATE TEMPORARY VIEW make_agg_daily_sales AS
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
    FROM parquet.`$out/gold/fct_orders`
    WHERE is_sale
    GROUP BY business_date, channel
),

refunds AS (
    SELECT business_date, channel, count(*) AS refunds, sum(refund_ex_tax_base) AS refund_base
    FROM parquet.`$out/gold/fct_refunds`
    WHERE is_counted
    GROUP BY business_date, channel
)

SELECT
    business_date,
    channel,
    CAST(coalesce(sales.orders, 0) AS INT) AS orders,
    CAST(coalesce(sales.units, 0) AS INT) AS units,
    CAST(coalesce(refunds.refunds, 0) AS INT) AS refunds,
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

-- write: gold/agg_daily_sales make_agg_daily_sales
