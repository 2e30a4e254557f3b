{{ config(unique_key=['record_id', 'ingested_at'], meta={'bound_by': 'ingested_at'}) }}
{#- Every state seen: a photo that was taken down is content that was seen. -#}

{{ stage('media_photos', [
    ['channel', 'channel', 'text'],
    ['subject_id', 'subject', 'text'],
    ['position', 'position', 'int'],
    ['status', 'status', 'lower'],
    ['url', 'url', 'text'],
    ['content_hash', 'content_hash', 'text'],
    ['bytes', 'bytes', 'int'],
    ['content_type', 'content_type', 'lower'],
    ['width', 'width', 'int'],
    ['height', 'height', 'int'],
], keep='states') }}
