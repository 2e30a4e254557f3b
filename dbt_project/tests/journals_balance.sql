{# Every journal sums to zero: debits equal credits. #}
{{ config(severity='error', meta={'dagster': {'ref': {'name': 'rpt_journal'}}}) }}
select journal.journal_id, sum(journal.debit_base) - sum(journal.credit_base) as difference_base
from {{ ref('rpt_journal') }} as journal
group by journal.journal_id
having sum(journal.debit_base) <> sum(journal.credit_base)
