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
{%- set asked = "access_logs" %}
{%- set example = sources | first %}
{%- set keyed = false %}
{% set ask = "read" %}{% include "athena/question.sql" %};

{% set ask = "denied" %}{% include "athena/question.sql" %};

{% set ask = "tls" %}{% include "athena/question.sql" %};

{% set ask = "acl" %}{% include "athena/question.sql" %};

{% set ask = "hours" %}{% include "athena/question.sql" %};

{% set ask = "bytes" %}{% include "athena/question.sql" %};

{%- set ask = "silent" %}
{%- set parts = source_groups | length %}
{%- for group in source_groups %}
{%- set part = loop.index %}
{% include "athena/question.sql" %};
{% if not loop.last %}
{% endif %}
{%- endfor -%}
{% endif -%}
{% set ask = "changes" -%}
{% for table in trails %}
{%- set asked = table.name %}
{%- set several = table.several %}
{%- set keyed = false %}
{%- set injected = table.injected %}
{%- set accounts = table.accounts %}
{% include "athena/question.sql" %};
{% endfor -%}
