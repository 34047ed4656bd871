{% for line in header %}-- {{ line | comment }}
{% endfor -%}
-- Athena runs one statement at a time: run the first ones (to the last CREATE) in order, in the Region {{ region }}, with a workgroup of
-- the account {{ account_id }} ({{ account_key | comment }}); then the queries you need. They can be run again whenever this file changes:
-- a table is dropped and made again, which deletes no log. Readers need s3:GetObject and s3:ListBucket on the log buckets.
{%- if glue %}
-- Glue resources of Terraform or CloudFormation are the same tables: where those are applied, run only CREATE OR REPLACE VIEW.
{%- endif %}

CREATE DATABASE IF NOT EXISTS `{{ database }}`;
{% for table in access %}
{% if not table.flat -%}
-- Access logs below {{ table.location | comment }}, by {% if by_delivery %}day of delivery (an event may be of the day before){% else %}day of the request (delivered hours later){% endif %}.
{%- else -%}
-- Access logs below {{ table.location | comment }}. The key format `simple` has no days in it, so each query reads every object below
-- the prefix: `key_format: partitioned-event-time` in the map makes them cheaper.
{%- if table.only %}
-- Others deliver there, too; the view takes its own sources from it.
{%- elif table.only_flat %}
-- Others deliver there, too; the view leaves out what lies in folders of days.
{%- endif %}
{%- endif %}
{%- if table.parts > 1 %}
-- Part {{ table.part }} of {{ table.parts }}: too many sources have this prefix for one table.
{%- endif %}
{%- if table.archived_after %}
-- After {{ table.archived_after }} days objects are archived: Athena skips them, and no query finds their records. Restored ones are read once the
-- table has the property 'read_restored_glacier_objects' = 'true'.
{%- endif %}
-- A record has up to 27 fields; older ones end earlier, later ones may have more. Requests are shown as S3 writes them, in quotes.
{% include "athena/table.sql" -%}
{% endfor -%}
{% if access %}
-- All access logs of the Region.
CREATE OR REPLACE VIEW "{{ database }}"."access_logs" AS
{%- for table in access %}
{%- if partitioned and table.flat %}
SELECT
  *,
  '{{ account_id }}' AS account_id,
  '{{ region }}' AS region,
  bucket_name AS source_bucket,
  FORMAT_DATETIME(PARSE_DATETIME(requestdatetime, 'dd/MMM/yyyy:HH:mm:ss Z'), 'yyyy/MM/dd') AS day
FROM "{{ database }}"."{{ table.name }}"
{%- else %}
SELECT * FROM "{{ database }}"."{{ table.name }}"
{%- endif %}
{%- if table.only %}
WHERE bucket_name IN (
{%- for name in table.only %}
  {{ name | sql }}{% if not loop.last %},{% endif %}
{%- endfor %}
)
{%- elif table.only_flat %}
WHERE
  bucket_name IS NOT NULL
  AND NOT REGEXP_LIKE("$path", '/[0-9]{12}/[a-z0-9-]+/[^/]+/[0-9]{4}/[0-9]{2}/[0-9]{2}/[^/]+$')
{%- endif %}
{%- if not loop.last %}
UNION ALL
{%- endif %}
{%- endfor %};
{% endif -%}
{% for table in trails %}
-- Events below {{ table.location | comment }}, of the trail{% if table.several %}s{% endif %} {{ table.trail | comment }}. Digest files lie elsewhere and are not read.
{%- if table.several %}
-- Each of these trails delivers a copy of its own of an event that more than one of them records: count events by eventid.
{%- endif %}
{%- if table.organization %}
-- Accounts of the organization that the map does not know write here too, so a query must name the accounts it asks about.
{%- elif table.injected %}
-- The accounts are too many for a table, so a query must name those it asks about.
{%- endif %}
{%- if table.every_region %}
-- It reads the Regions that were known on {{ table_date }}, and those of the map. Events of a Region that AWS opens later are delivered, too: they are
-- read once a newer logmap has made this file, or the map names the Region.
{%- endif %}
{%- for key in table.keys %}
-- Readers also need kms:Decrypt on {{ key | comment }}.
{%- endfor %}
{%- if table.archived_after %}
-- After {{ table.archived_after }} days objects are archived: Athena skips them, and no query finds their events. Restored ones are read once the
-- table has the property 'read_restored_glacier_objects' = 'true'.
{%- endif %}
{% include "athena/table.sql" -%}
{% endfor -%}
{% if access %}
{%- set window -%}
{% if partitioned %}day >= DATE_FORMAT(CURRENT_DATE - INTERVAL '7' DAY, '%Y/%m/%d'){% else %}PARSE_DATETIME(requestdatetime, 'dd/MMM/yyyy:HH:mm:ss Z') >= CURRENT_TIMESTAMP - INTERVAL '7' DAY{% endif %}
{%- endset %}
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
FROM "{{ database }}"."access_logs"
WHERE
  {{ window }}
  AND {% if partitioned %}source_bucket{% else %}bucket_name{% endif %} = {{ sources | first | sql }}
  AND key = 'path/to/object'
  AND REGEXP_LIKE(
    operation,
    '^(REST|WEBSITE)[.]GET[.]|^REST[.]COPY[.](OBJECT|PART)_GET|^(REST|BATCH)[.]DELETE[.]|^S3[.](EXPIRE[.]|CREATE[.]DELETEMARKER)'
  )
ORDER BY requestdatetime;

-- Which requests were denied?
SELECT
  bucket_name,
  requester,
  remoteip,
  operation,
  errorcode,
  COUNT(*) AS requests
FROM "{{ database }}"."access_logs"
WHERE
  {{ window }}
  AND httpstatus = '403'
GROUP BY 1, 2, 3, 4, 5
ORDER BY requests DESC;

-- Who still comes without TLS?
SELECT
  bucket_name,
  requester,
  remoteip,
  useragent,
  COUNT(*) AS requests
FROM "{{ database }}"."access_logs"
WHERE
  {{ window }}
  AND tlsversion = '-'
  AND operation NOT LIKE 'S3.%'
GROUP BY 1, 2, 3, 4
ORDER BY requests DESC;

-- Which requests are allowed only by an ACL, and would be denied once ACLs are switched off?
SELECT
  bucket_name,
  requester,
  operation,
  COUNT(*) AS requests
FROM "{{ database }}"."access_logs"
WHERE
  {{ window }}
  AND aclrequired = 'Yes'
GROUP BY 1, 2, 3
ORDER BY requests DESC;

-- How many requests by requester and hour?
SELECT
  DATE_TRUNC('hour', PARSE_DATETIME(requestdatetime, 'dd/MMM/yyyy:HH:mm:ss Z')) AS hour,
  requester,
  COUNT(*) AS requests
FROM "{{ database }}"."access_logs"
WHERE
  {{ window }}
GROUP BY 1, 2
ORDER BY 1, requests DESC;

-- How many bytes left each bucket?
SELECT
  bucket_name,
  SUM(bytessent) AS bytes
FROM "{{ database }}"."access_logs"
WHERE
  {{ window }}
GROUP BY 1
ORDER BY bytes DESC;

{%- for group in source_groups %}
-- Which buckets have had no log for 7 days? (A bucket that nobody used has none either.){% if source_groups | length > 1 %} Part {{ loop.index }} of {{ source_groups | length }}.{% endif %}
WITH expected (bucket_name) AS (
  VALUES
  {%- for source in group %}
    ({{ source | sql }}){% if not loop.last %},{% endif %}
  {%- endfor %}
),

seen AS (
  SELECT DISTINCT bucket_name
  FROM "{{ database }}"."access_logs"
  WHERE
    {{ window }}
)

SELECT expected.bucket_name
FROM expected
LEFT JOIN seen ON expected.bucket_name = seen.bucket_name
WHERE seen.bucket_name IS NULL
ORDER BY 1;
{% if not loop.last %}
{% endif %}
{%- endfor -%}
{% endif -%}
{% for table in trails %}
-- Who changed logging, the log buckets or the trails?
SELECT{% if table.several %} DISTINCT{% endif %}
  eventtime,
  eventname,
  useridentity.arn AS who,
  account_id,
  region,
  errorcode,
  requestparameters
FROM "{{ database }}"."{{ table.name }}"
WHERE
{%- if table.injected %}
  account_id IN ({% for account in table.accounts %}'{{ account }}'{% if not loop.last %}, {% endif %}{% endfor %})
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
ORDER BY eventtime DESC;
{% endfor -%}
