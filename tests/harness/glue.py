"""The Glue tables of Terraform and CloudFormation against the DDL: the same columns, types, partitions, classes, properties and places.

The DDL is read by sqlglot and by athena.py; the templates as YAML, the modules as Terraform's core plans them.
"""
import base64
import json
import re

import yaml

from .athena import LITERAL, module, tables
from .report import expect
from .terraform import first, resources
from .templates import refuses_others


def of_ddl(path):
    """{table: what it is} of a file of DDL."""
    sqlglot, types = module("sqlglot"), {}
    for statement in sqlglot.parse(path.read_text(), read="athena"):
        if isinstance(statement, sqlglot.exp.Create) and statement.args.get("kind") == "TABLE":
            schema = statement.find(sqlglot.exp.Schema)
            types[schema.this.name] = [(each.name, each.args["kind"].sql("hive").replace(" ", "").replace("`", "").lower()) for each in schema.expressions
                                       if isinstance(each, sqlglot.exp.ColumnDef)]
    found, text = {}, path.read_text()
    for table in tables(path):
        ddl = next(part for part in text.split("CREATE EXTERNAL TABLE") if f"`{table.database}`.`{table.name}`" in part.split("(")[0])
        words = {word: re.search(rf"{word} {LITERAL}", ddl)[1] for word in ("SERDE", "INPUTFORMAT", "OUTPUTFORMAT")}
        regex = {key: value for key, value in table.properties.items() if key == "input.regex"}
        found[table.name] = {
            "database": table.database, "columns": types[table.name][:len(table.columns)], "partitions": [(name, "string") for name in table.partitions],
            "location": table.location, "library": words["SERDE"], "input": words["INPUTFORMAT"], "output": words["OUTPUTFORMAT"], "serde": regex,
            "parameters": {"EXTERNAL": "TRUE", **{key: value for key, value in table.properties.items() if key not in regex}}}
    return found


def of_template(path):
    template = yaml.safe_load(path.read_text())
    names = {each["Properties"]["DatabaseInput"]["Name"] for each in template["Resources"].values() if each["Type"] == "AWS::Glue::Database"}
    (database,), found = names, {}
    for each in template["Resources"].values():
        if each["Type"] == "AWS::Glue::Table" and each["Properties"]["TableInput"]["TableType"] == "EXTERNAL_TABLE":
            expect(each["Properties"]["DatabaseName"] == {"Ref": "Database"}, f"{path.name}: a table of another database")
            table = each["Properties"]["TableInput"]
            storage = table["StorageDescriptor"]
            found[table["Name"]] = {
                "database": database, "columns": [(column["Name"], column["Type"]) for column in storage["Columns"]],
                "partitions": [(column["Name"], column["Type"]) for column in table.get("PartitionKeys", [])], "location": storage["Location"],
                "library": storage["SerdeInfo"]["SerializationLibrary"], "input": storage["InputFormat"], "output": storage["OutputFormat"],
                "serde": storage["SerdeInfo"].get("Parameters", {}), "parameters": table["Parameters"]}
    return found


def of_plan(plan, region, central=False):
    """The tables in a Region, or those of the account that asks the logs of all."""
    found = {}
    for kind, values in resources(plan):
        if kind == "aws_glue_catalog_table" and values["table_type"] == "EXTERNAL_TABLE" and values["region"] == region and (values["database_name"] == "logmap") == central:
            storage = first(values, "storage_descriptor")
            serde = first(storage, "ser_de_info")
            found[values["name"]] = {
                "database": values["database_name"], "columns": [(column["name"], column["type"]) for column in storage["columns"]],
                "partitions": [(column["name"], column["type"]) for column in values["partition_keys"]], "location": storage["location"],
                "library": serde["serialization_library"], "input": storage["input_format"], "output": storage["output_format"],
                "serde": serde["parameters"] or {}, "parameters": values["parameters"]}
    return found


def views(path, template):
    """{view: its text in Glue} of a template; each decodes to the view of the SQL, with the columns that Glue shows."""
    made = dict(re.findall(r'^CREATE OR REPLACE VIEW "logmap"\."(\w+)" AS\n(.*?);$', path.read_text(), re.M | re.S))
    found = {}
    for each in yaml.safe_load(template.read_text())["Resources"].values():
        table = each["Properties"].get("TableInput", {})
        if table.get("TableType") == "VIRTUAL_VIEW":
            found[table["Name"]] = table["ViewOriginalText"]
            view = json.loads(base64.b64decode(re.fullmatch(r"/\* Presto View: (\S+) \*/", table["ViewOriginalText"])[1], validate=True))
            expect(view["originalSql"] == made[table["Name"]], f"{table['Name']}: the template's view is not the SQL's")
            columns = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
            expect([name for name, _ in columns] == [column["name"] for column in view["columns"]], f"{table['Name']}: columns")
            plain = {"string": "varchar", "bigint": "bigint"}
            wrong = [(name, kind, column["type"]) for (name, kind), column in zip(columns, view["columns"]) if plain.get(kind, column["type"]) != column["type"]]
            expect(not wrong, f"{table['Name']}: {wrong}")
    expect(set(found) == set(made), f"{template.name}: {sorted(set(found) ^ set(made))}")
    return found


def check(report, name, stage, plans):
    """`plans()` gives [(account, plan)] of the modules."""
    with report.check(f"{name}/templates"):
        files = sorted((stage.tree / "athena").rglob("*.sql"))
        for path in files:
            other = stage.tree / "cloudformation" / path.parent.name / f"{path.stem}-athena.yaml"
            if path.stem == "central":
                other, = (stage.tree / "cloudformation" / path.parent.name).glob("*-athena-central.yaml")
                views(path, other)
            expect(of_template(other) == of_ddl(path), f"{path.parent.name}/{path.stem}: the template's tables are not the DDL's")
            refuses_others(stage.map.accounts[path.parent.name], other)
    with report.check(f"{name}/terraform"):
        for account, plan in plans():
            for path in sorted((stage.tree / "athena" / account.key).glob("*.sql")):
                if path.stem == "central":
                    other, = (stage.tree / "cloudformation" / path.parent.name).glob("*-athena-central.yaml")
                    expect(of_plan(plan, other.stem.removesuffix("-athena-central"), central=True) == of_ddl(path), f"{account.key}: the module's central tables are not the DDL's")
                    planned = {values["name"]: values["view_original_text"] for kind, values in resources(plan) if kind == "aws_glue_catalog_table" and values["table_type"] == "VIRTUAL_VIEW"}
                    expect(planned == views(path, other), f"{account.key}: the module's views are not the template's")
                    continue
                expect(of_plan(plan, path.stem) == of_ddl(path), f"{account.key}/{path.stem}: the module's tables are not the DDL's")
