"""The Athena target: an independent parser reads all SQL, each key that AWS would write lies in the partition of one table,
Java's regular expressions read hard records, and the queries run for real on them.

Athena itself can't be had here; DuckDB runs the queries, translated by sqlglot, over rows that the DDL's own pattern gave.
"""
import datetime
import functools
import re
import subprocess
from pathlib import Path

from .delivery import access_log_key, trail_keys
from .report import ToolMissing, expect
from .tools import find_tool

LITERAL = r"'((?:[^'\\]|\\.)*)'"
NOW = datetime.datetime.now(datetime.timezone.utc).replace(hour=12, minute=30, second=0) - datetime.timedelta(days=1)


def module(name):
    try:
        return __import__(name)
    except ImportError as error:
        raise ToolMissing(f"the Python package {name}") from error


def hive(text):
    """The value of a string literal of Hive's DDL."""
    return re.sub(r"\\(.)", r"\1", text)


def statements(sql):
    """The statements without their comments; no literal of ours has a semicolon at the end of a line."""
    bare = re.sub(r"^--.*\n", "", sql, flags=re.M)
    return [statement.strip() for statement in re.split(r";\n", bare) if statement.strip()]


class Table:
    """An external table, read from its DDL."""

    def __init__(self, ddl):
        self.database, self.name = re.match(r"CREATE EXTERNAL TABLE `(\w+)`\.`(\w+)`", ddl).groups()
        before, _, rest = ddl.partition("ROW FORMAT SERDE")
        columns, _, partitions = before.partition("PARTITIONED BY")
        self.columns = re.findall(r"^  `(\w+)`", columns, re.M)
        self.partitions = re.findall(r"^  `(\w+)`", partitions, re.M)
        self.location = hive(re.search(rf"LOCATION {LITERAL}", rest)[1])
        self.properties = {key: hive(value) for key, value in re.findall(rf"'([\w.]+)' = {LITERAL}", rest)}
        self.regex = self.properties.get("input.regex")

    def partition_of(self, url):
        """The values of the partition columns under which the object at this URL is read, or None."""
        folder = url[:url.rindex("/") + 1]
        if not self.partitions:
            return {} if folder.startswith(self.location) else None
        pattern = re.escape(self.properties["storage.location.template"])
        for column in self.partitions:
            kind = self.properties[f"projection.{column}.type"]
            if kind == "enum":
                value = "|".join(map(re.escape, self.properties[f"projection.{column}.values"].split(",")))
            else:
                expect(kind == "injected" or self.properties[f"projection.{column}.format"] == "yyyy/MM/dd", f"{self.name}.{column}: {kind}")
                value = r"[^/]+" if kind == "injected" else r"\d{4}/\d\d/\d\d"
            pattern = pattern.replace(re.escape(f"${{{column}}}"), f"(?P<{column}>{value})")
        found = re.fullmatch(pattern, folder)
        return found and found.groupdict()


def tables(path):
    return [Table(statement) for statement in statements(path.read_text()) if statement.startswith("CREATE EXTERNAL TABLE")]


def taken_by_view(path):
    """{table: the names of the sources that the view of all access logs takes from it}, where it does not take all."""
    views = "\n".join(text for text in statements(path.read_text()) if text.startswith("CREATE OR REPLACE VIEW"))
    found = re.findall(r'FROM "\w+"\."(\w+)"\s+WHERE bucket_name IN \(([^)]*)\)', views)
    return {table: set(re.findall(r"'([^']*)'", names)) for table, names in found}


def read_elsewhere(path):
    """Locations and projection templates as sqlglot reads them, which shares no code with `hive`."""
    sqlglot = module("sqlglot")
    for statement in sqlglot.parse(path.read_text(), read="athena"):
        if isinstance(statement, sqlglot.exp.Create) and statement.args.get("kind") == "TABLE":
            yield statement.find(sqlglot.exp.LocationProperty).this.this
            named = [each for each in statement.find_all(sqlglot.exp.Property) if each.args.get("value") and each.name == "storage.location.template"]
            yield from (each.args["value"].this for each in named)


def check(report, name, stage):
    """The tree's SQL, and its tables against the world after the scripts."""
    files = sorted((stage.tree / "athena").rglob("*.sql"))
    with report.check(f"{name}/parse"):
        module("sqlfluff")
        from sqlfluff.core import FluffConfig, Linter
        linter = Linter(config=FluffConfig(overrides={"dialect": "athena"}))
        for path in files:
            wrong = linter.parse_string(path.read_text()).violations
            expect(not wrong, f"{path.relative_to(stage.tree)}: {wrong[:3]}")
    with report.check(f"{name}/partitions"):
        every = {path: tables(path) for path in files}
        asked_of_all = [path for path in files if path.stem == "central"]
        for path, found in every.items():
            ours = [text for table in found for text in (table.location, table.properties.get("storage.location.template")) if text]
            expect(sorted(ours) == sorted(read_elsewhere(path)), f"{path.name}: {ours} {list(read_elsewhere(path))}")
        if stage.applied is None:
            stage.set_scene()
            stage.run_all()
            stage.applied = stage.snapshot()
        buckets, asked = stage.applied["buckets"], 0

        only = {path: taken_by_view(path) for path in files}

        def reads(bucket, key, want, source=None):
            """Exactly one table of the bucket's account and Region reads the key, under the right values; of what lies in the folder
            of others, the view takes only what theirs is."""
            url = f"s3://{bucket}/{key}"
            places = [[path for path in files if path not in asked_of_all], *([path] for path in asked_of_all)]
            for place in places:
                here = [(table, table.partition_of(url)) for path in place for table in every[path] if source in only[path].get(table.name, {source})]
                here = [(table, values) for table, values in here if values is not None]
                # nothing of another partition is asked from the one account
                elsewhere = place[0] in asked_of_all and not any(f"s3://{bucket}/" in table.location for table in every[place[0]])
                expect(len(here) == (0 if elsewhere else want), f"{url} is read by {[table.name for table, _ in here]}")
                values = here[0][1] if here and place is places[0] else values if place is not places[0] else {}
            return values
        for source in stage.map.sources:
            bucket = buckets[source]
            values = reads(bucket["logging"]["TargetBucket"], access_log_key(source, bucket), 1, source)
            right = {"account_id": bucket["account"], "region": bucket["region"], "source_bucket": source, "day": "2026/01/02"}
            expect(values in ({}, right), f"{source}: {values}")
            expect(bool(values) == ("PartitionedPrefix" in (bucket["logging"].get("TargetObjectKeyFormat") or {})), f"{source}: {values}")
            asked += 1
        for trail in stage.applied["trails"].values():
            for key in trail_keys(trail, stage.map.organization):
                # an organization trail's table is about the organization's folder
                elsewhere = "-Digest/" in key or (trail["organization"] and stage.map.organization not in key)
                values = reads(trail["bucket"], key, 0 if elsewhere else 1)
                expect(elsewhere or values == {"account_id": trail["account"], "region": trail["region"], "day": "2026/01/02"}, f"{key}: {values}")
                asked += 1
        expect(asked, "no key was asked about")


def check_strings(tree, model):
    """Another reader finds each prefix of the model, as it is, in some table of its log bucket."""
    found = [text for path in sorted((tree / "athena").rglob("*.sql")) for text in read_elsewhere(path)]
    for name, source in model["sources"].items():
        url = f"s3://{source['target']}/{source['prefix']}"
        wanted = url.removesuffix(f"{name}/") if source["format"] == "simple" else url
        there = url in found or wanted in found or any(text.startswith(url + "${") for text in found) or (source["format"] == "simple" and any(url.startswith(text) for text in found))
        expect(there, f"{name}: no table is about {url!r}: {found}")
    for arn, trail in model["trails"].items():
        url = f"s3://{trail['bucket']}/" + (f"{trail['prefix']}/" if trail["prefix"] else "") + "AWSLogs/"
        expect(any(text.startswith(url) for text in found), f"{arn}: no table is about {url!r}: {found}")


def record(**fields):
    """One access-log record; a field that is None ends it there."""
    values = {
        "bucketowner": "79a59df900b949e5", "bucket_name": "acme-prod-web", "requestdatetime": f"[{NOW:%d/%b/%Y:%H:%M:%S} +0000]",
        "remoteip": "192.0.2.3", "requester": "arn:aws:iam::111122223333:user/ann", "requestid": "3E57427F3EXAMPLE",
        "operation": "REST.GET.OBJECT", "key": "path/to/object", "request_uri": '"GET /path/to/object HTTP/1.1"', "httpstatus": "200",
        "errorcode": "-", "bytessent": "113", "objectsize": "113", "totaltime": "7", "turnaroundtime": "-", "referrer": '"-"',
        "useragent": '"S3Console/0.4"', "versionid": "-", "hostid": "s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/",
        "sigv": "SigV4", "ciphersuite": "ECDHE-RSA-AES128-GCM-SHA256", "authtype": "AuthHeader", "endpoint": "acme-prod-web.s3.us-east-1.amazonaws.com",
        "tlsversion": "TLSv1.2", "accesspointarn": "-", "aclrequired": "-", "sourceregion": "us-east-1", "later": None}
    values.update(fields)
    line, row = [], {}
    for key, value in values.items():
        if value is None:
            break
        line.append(value)
        row[key] = value.strip("[]") if key == "requestdatetime" else value
    return " ".join(line), row


# name: a record as S3 may write it
RECORDS = {
    "27 fields": record(),
    "26 fields, before the source Region": record(sourceregion=None),
    "25 fields": record(aclrequired=None),
    "24 fields": record(accesspointarn=None),
    "18 fields": record(hostid=None),
    "a field of the future": record(later='"what comes" later'),
    "lifecycle": record(operation="S3.EXPIRE.OBJECT", requester="AmazonS3", remoteip="-", request_uri="-", httpstatus="-", referrer="-", useragent="-",
                        bytessent="-", objectsize="-", totaltime="-", tlsversion="-", sigv="-", ciphersuite="-", authtype="-", endpoint="-", sourceregion="-"),
    "denied": record(httpstatus="403", errorcode="AccessDenied", requester="-", operation="REST.PUT.OBJECT", bytessent="243", objectsize="-"),
    "without TLS": record(tlsversion="-", ciphersuite="-", bucket_name="acme-prod-data", requester="arn:aws:iam::111122223333:user/bob"),
    "by ACL": record(aclrequired="Yes", requester="79a59df900b949e5"),
    "a referrer with spaces": record(referrer='"https://example.com/a b"'),
    "a bare referrer and user agent": record(referrer="-", useragent="-"),
    "a quote in the URI": record(request_uri='"GET /a"b" c HTTP/1.1"'),
    "quotes in the user agent": record(useragent='"say "hello" - or "x y" 1"'),
    "an empty user agent": record(useragent='""'),
    "a user agent that plays a record": record(useragent='"x" - 200 - "y" "z"'),
    "COPY": record(operation="REST.COPY.OBJECT_GET", request_uri='"PUT /copy HTTP/1.1"'),
    "COPY of a part": record(operation="REST.COPY.PART_GET", request_uri="-"),
    "a website": record(operation="WEBSITE.GET.OBJECT", requester="-"),
    "a write, which is no read": record(operation="REST.PUT.OBJECT"),
    "a delete marker of lifecycle": record(operation="S3.CREATE.DELETEMARKER", requester="AmazonS3", remoteip="-", request_uri="-", httpstatus="-",
                                           referrer="-", useragent="-", bytessent="-", objectsize="-", totaltime="-", tlsversion="-", sigv="-",
                                           ciphersuite="-", authtype="-", endpoint="-", sourceregion="-"),
}


@functools.cache
def rows(regex):
    """The records as the table would show them."""
    java = find_tool("java")
    lines = "".join(f"{line}\n" for line, _ in RECORDS.values())
    program = Path(__file__).with_name("Records.java")
    done = subprocess.run([java, program], input=f"{regex}\n{lines}", text=True, capture_output=True, encoding="utf-8")
    expect(done.returncode == 0, done.stderr[-2000:])
    return [[None if value == "\0" else value for value in line.split("\x1f")] for line in done.stdout.splitlines()]


def records(report, name, tree):
    """Hard records and the queries on them; written for the tree of examples/small."""
    table = tables(tree / "athena/prod/us-east-1.sql")[1]
    with report.check(f"{name}/records"):
        found = rows(table.regex)
        expect(len(found) == len(RECORDS), f"{len(found)} rows of {len(RECORDS)} records")
        for (which, (line, want)), got in zip(RECORDS.items(), found):
            expect(len(got) == len(table.columns), f"{which}: {line}\n  {got}")
            got = {column: value for column, value in zip(table.columns, got) if value is not None}
            want = {column: value for column, value in want.items() if column in table.columns}
            expect(got == want, f"{which}: {sorted(set(want.items()) ^ set(got.items()))}")
    with report.check(f"{name}/queries"):
        queries(tree / "athena/prod/us-east-1.sql", rows(table.regex))


def queries(path, access_rows):
    """Every query on the sample records; what each must say is written here by hand."""
    duckdb, sqlglot = module("duckdb"), module("sqlglot")
    db, results = duckdb.connect(), {}
    db.execute("SET TimeZone = 'UTC'")
    sql = path.read_text()
    made = {table.name: table for table in tables(path)}
    database = next(iter(made.values())).database
    db.execute(f"CREATE SCHEMA {database}")
    number = {"bytessent", "objectsize"}
    for table in made.values():
        if table.regex:
            columns = [f"{column} {'BIGINT' if column in number else 'VARCHAR'}" for column in table.columns + table.partitions]
            db.execute(f"CREATE TABLE {database}.{table.name} ({', '.join(columns)})")
    mine = made["access_logs_s3_access"]
    for row in access_rows:
        values = dict(zip(mine.columns, row))
        values = [None if column in number and values[column] == "-" else values[column] for column in mine.columns]
        bucket = row[mine.columns.index("bucket_name")]
        values += [{"account_id": "111122223333", "region": "us-east-1", "source_bucket": bucket, "day": f"{NOW:%Y/%m/%d}"}[c] for c in mine.partitions]
        db.execute(f"INSERT INTO {database}.{mine.name} VALUES ({', '.join('?' * len(values))})", values)
    trail = made["cloudtrail"]
    event = ", ".join(f"NULL::VARCHAR AS {column}" for column in trail.columns if column not in ("useridentity", "eventsource", "eventname", "eventtime"))
    db.execute(f"""CREATE TABLE {database}.{trail.name} AS SELECT {event}, eventtime, eventsource, eventname, {{'arn': who}} AS useridentity,
        '111122223333' AS account_id, 'us-east-1' AS region, day FROM (VALUES
        ('t1', 's3.amazonaws.com', 'PutBucketLogging', 'mallory', '{NOW:%Y/%m/%d}'), ('t2', 's3.amazonaws.com', 'PutObject', 'ann', '{NOW:%Y/%m/%d}'),
        ('t3', 'cloudtrail.amazonaws.com', 'StopLogging', 'mallory', '{NOW:%Y/%m/%d}'), ('t4', 'cloudtrail.amazonaws.com', 'StopLogging', 'old', '2020/01/01')
        ) AS events (eventtime, eventsource, eventname, who, day)""")
    for view in [statement for statement in statements(sql) if statement.startswith("CREATE OR REPLACE VIEW")]:
        db.execute(view)
    for question, statement in re.findall(r"^-- (.*\?.*)\n((?:SELECT|WITH)[^;]*);", sql, re.M):
        statement = sqlglot.transpile(statement, read="trino", write="duckdb")[0]
        statement = statement.replace("'dd/MMM/yyyy:HH:mm:ss Z'", "'%d/%b/%Y:%H:%M:%S %z'")
        if question.startswith("Who read"):  # the SQL's own example is a bucket without a record
            statement = statement.replace("'acme-legacy'", "'acme-prod-web'")
        results[question.split("?")[0]] = db.execute(statement).fetchall()
    bob, ann = "arn:aws:iam::111122223333:user/bob", "arn:aws:iam::111122223333:user/ann"
    read = results.pop("Who read or deleted an object")
    expect({row[3] for row in read} == {"REST.GET.OBJECT", "REST.COPY.OBJECT_GET", "REST.COPY.PART_GET", "WEBSITE.GET.OBJECT", "S3.EXPIRE.OBJECT",
                                        "S3.CREATE.DELETEMARKER"}, f"read: {read}")
    expect(len(read) == len(RECORDS) - 3 and {row[4] for row in read} == {"path/to/object"}, f"read: {read}")
    want = {
        "Which requests were denied": [("acme-prod-web", "-", "192.0.2.3", "REST.PUT.OBJECT", "AccessDenied", 1)],
        "Who still comes without TLS": [("acme-prod-data", bob, "192.0.2.3", '"S3Console/0.4"', 1)],
        "Which requests are allowed only by an ACL, and would be denied once ACLs are switched off": [("acme-prod-web", "79a59df900b949e5", "REST.GET.OBJECT", 1)],
        "Which buckets have had no log for 7 days": [("acme-legacy",)],
        "Who changed logging, the log buckets or the trails": [
            ("t3", "StopLogging", "mallory", "111122223333", "us-east-1", None, None), ("t1", "PutBucketLogging", "mallory", "111122223333", "us-east-1", None, None)],
    }
    for question, rows_wanted in want.items():
        expect(results.pop(question) == rows_wanted, question)
    hours = results.pop("How many requests by requester and hour")
    expect(len({hour for hour, *_ in hours}) == 1 and hours[0][1:] == (ann, len(RECORDS) - 6), f"hours: {hours}")
    left = dict(results.pop("How many bytes left each bucket"))
    expect(left == {"acme-prod-web": 113 * (len(RECORDS) - 4) + 243, "acme-prod-data": 113}, f"bytes: {left}")
    expect(not results, f"questions without an answer here: {results}")


def central(report, name, tree):
    """The questions of the account that asks, over its views, on records of two accounts; written for the tree of tests/maps/ask.yaml."""
    duckdb, sqlglot = module("duckdb"), module("sqlglot")
    path = tree / "athena/security/central.sql"
    with report.check(f"{name}/central"):
        db, sql = duckdb.connect(), path.read_text()
        db.execute("SET TimeZone = 'UTC'")
        db.execute("CREATE SCHEMA logmap")
        # what the engine has and DuckDB has not, or otherwise
        db.execute("CREATE MACRO split_to_map(text, pairs, ends) AS map_from_entries(list_transform(string_split(text, pairs), lambda one: {'k': split_part(one, ends, 1), 'v': split_part(one, ends, 2)}))")
        number = {"bytessent", "objectsize"}
        records = {
            "prod__us_east_1__access_logs_s3_access": [("acme-prod-web", "403", "AccessDenied"), ("acme-prod-web", "200", "-")],
            "staging__eu_west_1__access_logs_s3_access": [("acme-staging", "403", "AccessDenied")],
            "prod__eu_south_1__flat_access_logs": [("acme-prod-old", "403", "AccessDenied"), ("acme-prod-milan", "403", "AccessDenied")]}
        today, places = f"{NOW:%Y/%m/%d}", {"prod": ("111122223333", "us-east-1"), "staging": ("222233334444", "eu-west-1")}
        for table in tables(path):
            account, region = table.name.split("__")[:2]
            if table.regex:
                columns = [f"{column} {'BIGINT' if column in number else 'VARCHAR'}" for column in table.columns + table.partitions]
                db.execute(f"CREATE TABLE logmap.{table.name} ({', '.join(columns)})")
                for bucket, status, error in records.get(table.name, []):
                    _, row = record(bucket_name=bucket, httpstatus=status, errorcode=error, bytessent="10")
                    place = places[account]
                    row |= {"account_id": place[0], "region": place[1], "source_bucket": bucket, "day": today}
                    db.execute(f"INSERT INTO logmap.{table.name} VALUES ({', '.join('?' * len(columns))})",
                               [None if row.get(column) == "-" and column in number else row.get(column) for column in table.columns + table.partitions])
                continue
            nulls = ", ".join(f"NULL::VARCHAR AS {column}" if column not in ("useridentity", "eventsource", "eventname", "eventtime") else
                              {"useridentity": "{'arn': who} AS useridentity"}.get(column, column) for column in table.columns)
            events = {"log_archive__us_east_1__organization_cloudtrail": [("t1", "111122223333", "us-east-1"), ("t2", "999988887777", "us-east-1"), ("t9", "123412341234", "us-east-1")],
                      "staging__eu_west_1__cloudtrail": [("t3", "222233334444", "eu-west-1")]}.get(table.name, [])
            rows = ", ".join(f"('{time}', 's3.amazonaws.com', 'PutBucketLogging', 'mallory', '{account}', '{region}', '{today}')" for time, account, region in events)
            where = "" if rows else " WHERE false"
            rows = rows or "('', '', '', '', '', '', '')"
            db.execute(f"CREATE TABLE logmap.{table.name} AS SELECT {nulls}, account_id, region, day FROM (VALUES {rows}) AS events (eventtime, eventsource, eventname, who, account_id, region, day){where}")
        ours = lambda text: sqlglot.transpile(text, read="trino", write="duckdb")[0].replace("'dd/MMM/yyyy:HH:mm:ss Z'", "'%d/%b/%Y:%H:%M:%S %z'").replace("'yyyy/MM/dd'", "'%Y/%m/%d'")
        for statement in [text for text in statements(sql) if text.startswith("CREATE OR REPLACE VIEW")]:
            view, _, select = statement.removeprefix("CREATE OR REPLACE VIEW ").partition(" AS\n")
            select = re.sub(r"FORMAT_DATETIME\((PARSE_DATETIME\(requestdatetime, '[^']*'\)), '([^']*)'\)", rf"'{today}'", select)
            select = select.replace("ELEMENT_AT(SPLIT_TO_MAP(", "map_extract_value(split_to_map(")
            db.execute(f"CREATE VIEW {view} AS {select}")
        found = {question.split("?")[0]: db.execute(ours(statement)).fetchall()
                 for question, statement in re.findall(r"^-- (.*\?.*)\n((?:SELECT|WITH)[^;]*);", sql, re.M)}
        denied = sorted(row[0] for row in found["Which requests were denied"])
        expect(denied == ["acme-prod-old", "acme-prod-web", "acme-staging"], f"denied, of three accounts' buckets and not of others' in the flat folder: {denied}")
        silent = {row[0] for row in found["Which buckets have had no log for 7 days"]}
        expect(silent == {"acme-mgmt-state", "acme-prod-data", "acme-prod-milan"}, f"silent: {silent}")
        changed = [(row[0], row[2], row[3], row[4], row[5]) for row in found["Who changed logging, the log buckets or the trails"]]
        expect(changed == [("t3", "mallory", "staging", "222233334444", "eu-west-1"), ("t2", "mallory", "security", "999988887777", "us-east-1"),
                           ("t1", "mallory", "prod", "111122223333", "us-east-1")], f"changed: {changed}")
        counts = dict(db.execute("SELECT account, COUNT(*) FROM logmap.access_logs GROUP BY 1").fetchall())
        expect(counts == {"prod": 3, "staging": 1}, f"records by account: {counts}")
        expect(db.execute("SELECT COUNT(*) FROM logmap.access_logs_staging WHERE region = 'eu-west-1'").fetchall() == [(1,)], "one account's view")
