"""The Glue tables of Terraform and CloudFormation against the DDL: the same columns, types, partitions, classes, properties and places.

The DDL is read by sqlglot and by athena.py; the templates as YAML, the modules as Terraform's core plans them.
"""
import yaml

from .athena import LITERAL, module, tables
from .report import expect
from .terraform import first, resources
from .templates import refuses_others


def of_ddl(path):
    """{table: what it is} of a file of DDL."""
    import re
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
        if each["Type"] == "AWS::Glue::Table":
            expect(each["Properties"]["DatabaseName"] == {"Ref": "Database"}, f"{path.name}: a table of another database")
            table = each["Properties"]["TableInput"]
            storage = table["StorageDescriptor"]
            found[table["Name"]] = {
                "database": database, "columns": [(column["Name"], column["Type"]) for column in storage["Columns"]],
                "partitions": [(column["Name"], column["Type"]) for column in table.get("PartitionKeys", [])], "location": storage["Location"],
                "library": storage["SerdeInfo"]["SerializationLibrary"], "input": storage["InputFormat"], "output": storage["OutputFormat"],
                "serde": storage["SerdeInfo"].get("Parameters", {}), "parameters": table["Parameters"]}
    return found


def of_plan(plan, region):
    found = {}
    for kind, values in resources(plan):
        if kind == "aws_glue_catalog_table" and values["region"] == region:
            storage = first(values, "storage_descriptor")
            serde = first(storage, "ser_de_info")
            found[values["name"]] = {
                "database": values["database_name"], "columns": [(column["name"], column["type"]) for column in storage["columns"]],
                "partitions": [(column["name"], column["type"]) for column in values["partition_keys"]], "location": storage["location"],
                "library": serde["serialization_library"], "input": storage["input_format"], "output": storage["output_format"],
                "serde": serde["parameters"] or {}, "parameters": values["parameters"]}
    return found


def check(report, name, stage, plans):
    """`plans()` gives [(account, plan)] of the modules."""
    with report.check(f"{name}/templates"):
        files = sorted((stage.tree / "athena").rglob("*.sql"))
        for path in files:
            other = stage.tree / "cloudformation" / path.parent.name / f"{path.stem}-athena.yaml"
            expect(of_template(other) == of_ddl(path), f"{path.parent.name}/{path.stem}: the template's tables are not the DDL's")
            refuses_others(stage.map.accounts[path.parent.name], other)
    with report.check(f"{name}/terraform"):
        for account, plan in plans():
            for path in sorted((stage.tree / "athena" / account.key).glob("*.sql")):
                expect(of_plan(plan, path.stem) == of_ddl(path), f"{account.key}/{path.stem}: the module's tables are not the DDL's")
