{% for line in header %}-- {{ line | comment }}
{% endfor -%}
-- One place to ask: tables over the logs of every account and Region of this partition, for the account {{ account_id }} ({{ account_key | comment }}).
-- Athena runs one statement at a time: run the first ones (to the last CREATE) in order, in the Region {{ region }}, then the queries you
-- need. They can be run again whenever this file changes: a table is dropped and made again, which deletes no log. What no statement makes
-- any more stays until somebody drops it; `logmap diff` names it.
-- The policies of the other accounts' log buckets let {% if roles %}these roles{% else %}the account{% endif %} read; the account's own policies have to allow the same: s3:GetObject, s3:ListBucket
-- and s3:GetBucketLocation on these buckets, athena:* on the workgroup, glue:Get* on the database, and writing to the bucket for results.
{%- for role in roles %}
--   {{ role | comment }}
{%- endfor %}
-- S3 bills what leaves a Region for a query in another one. Nothing here reads a catalog of another account.
{%- for region in opt_in %}
-- {{ region }} must be enabled in the account {{ account_id }}, too, or its buckets can't be read.
{%- endfor %}
{%- if glue %}
-- Glue resources of Terraform or CloudFormation are the same tables and views, with the workgroup "{{ workgroup }}": where those are applied,
-- run nothing but the queries, in that workgroup.
{%- else %}
-- The workgroup "{{ workgroup }}" with a bucket for results and a limit for what a query scans is made by Terraform or CloudFormation, if the
-- map says `render: { athena: { glue: true } }`. Without it take a workgroup of the account that has both.
{%- endif %}
{%- for sentence in left_out %}
-- Left out: {{ sentence | comment }}.
{%- endfor %}

CREATE DATABASE IF NOT EXISTS `{{ database }}`;
{% for table in tables %}
-- {{ table.account_key | comment }} in {{ table.region }}: {% if table.trails %}events of {{ table.trails | comment }}{% else %}access logs{% endif %} below {{ table.location | comment }}
{%- if table.others %}
-- Others deliver there, too; the view takes its own sources from it.
{%- endif %}
{%- if table.injected %}
-- A query of the table itself must name the accounts that it asks about; the view names those that the map knows.
{%- endif %}
{%- for key in table.keys %}
-- Readers also need kms:Decrypt on {{ key | comment }}: policies/kms/ has what its policy needs.
{%- endfor %}
{%- if table.archived_after %}
-- After {{ table.archived_after }} days objects are archived: Athena skips them, and no query finds what is in them.
{%- endif %}
{% include "athena/table.sql" -%}
{% endfor -%}
{% for view in views %}
CREATE OR REPLACE VIEW "{{ database }}"."{{ view.name }}" AS
{{ view.select }};
{% endfor -%}
{% for question in questions %}
{{ question.query }};
{% endfor -%}
