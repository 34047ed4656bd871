{%- set window -%}
{% if partitioned %}day >= DATE_FORMAT(CURRENT_DATE - INTERVAL '7' DAY, '%Y/%m/%d'){% else %}PARSE_DATETIME(requestdatetime, 'dd/MMM/yyyy:HH:mm:ss Z') >= CURRENT_TIMESTAMP - INTERVAL '7' DAY{% endif %}
{%- endset -%}
{% if ask == "read" -%}
-- Who read or deleted an object? (Keys are URL-encoded in the log. Lifecycle rules delete as well; AWS says so by `S3.`.)
SELECT
  requestdatetime,
  requester,
  remoteip,
  operation,
  key,
  versionid,
  httpstatus,
  useragent
FROM "{{ database }}"."{{ asked }}"
WHERE
  {{ window }}
  AND {% if partitioned %}source_bucket{% else %}bucket_name{% endif %} = {{ example | sql }}
  AND key = 'path/to/object'
  AND REGEXP_LIKE(
    operation,
    '^(REST|WEBSITE)[.]GET[.]|^REST[.]COPY[.](OBJECT|PART)_GET|^(REST|BATCH)[.]DELETE[.]|^S3[.](EXPIRE[.]|CREATE[.]DELETEMARKER)'
  )
ORDER BY requestdatetime
{%- elif ask == "denied" -%}
-- Which requests were denied?
SELECT
  bucket_name,
  requester,
  remoteip,
  operation,
  errorcode,
  COUNT(*) AS requests
FROM "{{ database }}"."{{ asked }}"
WHERE
  {{ window }}
  AND httpstatus = '403'
GROUP BY 1, 2, 3, 4, 5
ORDER BY requests DESC
{%- elif ask == "tls" -%}
-- Who still comes without TLS?
SELECT
  bucket_name,
  requester,
  remoteip,
  useragent,
  COUNT(*) AS requests
FROM "{{ database }}"."{{ asked }}"
WHERE
  {{ window }}
  AND tlsversion = '-'
  AND operation NOT LIKE 'S3.%'
GROUP BY 1, 2, 3, 4
ORDER BY requests DESC
{%- elif ask == "acl" -%}
-- Which requests are allowed only by an ACL, and would be denied once ACLs are switched off?
SELECT
  bucket_name,
  requester,
  operation,
  COUNT(*) AS requests
FROM "{{ database }}"."{{ asked }}"
WHERE
  {{ window }}
  AND aclrequired = 'Yes'
GROUP BY 1, 2, 3
ORDER BY requests DESC
{%- elif ask == "hours" -%}
-- How many requests by requester and hour?
SELECT
  DATE_TRUNC('hour', PARSE_DATETIME(requestdatetime, 'dd/MMM/yyyy:HH:mm:ss Z')) AS hour,
  requester,
  COUNT(*) AS requests
FROM "{{ database }}"."{{ asked }}"
WHERE
  {{ window }}
GROUP BY 1, 2
ORDER BY 1, requests DESC
{%- elif ask == "bytes" -%}
-- How many bytes left each bucket?
SELECT
  bucket_name,
  SUM(bytessent) AS bytes
FROM "{{ database }}"."{{ asked }}"
WHERE
  {{ window }}
GROUP BY 1
ORDER BY bytes DESC
{%- elif ask == "silent" -%}
-- Which buckets have had no log for 7 days? (A bucket that nobody used has none either.){% if parts > 1 %} Part {{ part }} of {{ parts }}.{% endif %}
WITH expected (bucket_name) AS (
  VALUES
  {%- for source in group %}
    ({{ source | sql }}){% if not loop.last %},{% endif %}
  {%- endfor %}
),

seen AS (
  SELECT DISTINCT bucket_name
  FROM "{{ database }}"."{{ asked }}"
  WHERE
    {{ window }}
)

SELECT expected.bucket_name
FROM expected
LEFT JOIN seen ON expected.bucket_name = seen.bucket_name
WHERE seen.bucket_name IS NULL
ORDER BY 1
{%- else -%}
-- Who changed logging, the log buckets or the trails?
SELECT{% if several %} DISTINCT{% endif %}
  eventtime,
  eventname,
  useridentity.arn AS who,
{%- if keyed %}
  account,
{%- endif %}
  account_id,
  region,
  errorcode,
  requestparameters
FROM "{{ database }}"."{{ asked }}"
WHERE
{%- if injected %}
  account_id IN ({% for account in accounts %}'{{ account }}'{% if not loop.last %}, {% endif %}{% endfor %})
  AND day >= DATE_FORMAT(CURRENT_DATE - INTERVAL '7' DAY, '%Y/%m/%d')
{%- else %}
  day >= DATE_FORMAT(CURRENT_DATE - INTERVAL '7' DAY, '%Y/%m/%d')
{%- endif %}
  AND (
    (
      eventsource = 's3.amazonaws.com'
      AND eventname IN (
{%- for call in bucket_calls %}
        '{{ call }}'{% if not loop.last %},{% endif %}
{%- endfor %}
      )
    )
    OR (
      eventsource = 'cloudtrail.amazonaws.com'
      AND eventname IN ({% for call in trail_calls %}'{{ call }}'{% if not loop.last %}, {% endif %}{% endfor %})
    )
    OR (
      eventsource = 'logs.amazonaws.com'
      AND eventname IN ('DeleteDelivery', 'DeleteDeliverySource')
    )
  )
ORDER BY eventtime DESC
{%- endif -%}
