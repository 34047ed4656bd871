{%- for part in parts -%}
{%- if part.view -%}
SELECT * FROM "{{ database }}"."{{ part.name }}"
{%- else -%}
SELECT
  *,
{%- if part.flat %}
  '{{ part.account_id }}' AS account_id,
  '{{ part.region }}' AS region,
  bucket_name AS source_bucket,
  FORMAT_DATETIME(PARSE_DATETIME(requestdatetime, 'dd/MMM/yyyy:HH:mm:ss Z'), 'yyyy/MM/dd') AS day,
{%- endif %}
  {% if part.account %}{{ part.account | sql }}{% elif part.accounts %}COALESCE(ELEMENT_AT(SPLIT_TO_MAP({{ part.accounts | sql }}, ',', '='), account_id), account_id){% else %}account_id{% endif %} AS account
FROM "{{ database }}"."{{ part.name }}"
{%- if part.only %}
WHERE bucket_name IN (
{%- for name in part.only %}
  {{ name | sql }}{% if not loop.last %},{% endif %}
{%- endfor %}
)
{%- elif part.only_flat %}
WHERE
  bucket_name IS NOT NULL
  AND NOT REGEXP_LIKE("$path", '/[0-9]{12}/[a-z0-9-]+/[^/]+/[0-9]{4}/[0-9]{2}/[0-9]{2}/[^/]+$')
{%- elif part.asked %}
WHERE account_id IN ({% for account in part.asked %}'{{ account }}'{% if not loop.last %}, {% endif %}{% endfor %})
{%- endif %}
{%- endif %}
{%- if not loop.last %}
UNION ALL
{% endif %}
{%- endfor -%}
