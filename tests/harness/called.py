"""Modules that roots call, by Terraform's own core: a root with a provider for each Region plans, applies and then rests, and a call that
passes another Region's provider, or another account's, ends at the plan, or at the apply where it can't be known before.  And the blocks of
state backends, as the core takes them.

The root is the example beside the modules, as it is for `terraform.roots`.
"""
import json
import re
import shutil
import subprocess
from pathlib import Path

from . import terraform
from .changes import spares_log_buckets
from .report import Failure, clean_env, expect

MAP = Path(__file__).parents[1] / "maps" / "modules.yaml"
IMPORTED = {"module.logs_eu_west_1.aws_s3_bucket.acme_old_eu_logs", "module.logs_eu_west_1.aws_s3_bucket_policy.acme_old_eu_logs"}


class Root:
    """The root of account prod, generation after generation, with one state."""

    def __init__(self, logmap, core, folder, provider):
        self.logmap, self.core, self.folder, self.root = logmap, core, folder, folder / "roots" / "prod"
        text = MAP.read_text()
        self.text = text.replace("    layout: module\n", f"    layout: module\n    aws_provider: {provider}\n")
        expect(self.text != text, "the map has no layout")

    def generate(self, change=lambda text: text):
        path = self.folder / "logmap.yaml"
        path.write_text(change(self.text))
        done = subprocess.run([self.logmap, "generate", path, "--out", self.folder / "out", "-q"], env=clean_env(), capture_output=True, text=True)
        expect(done.returncode == 0, done.stdout + done.stderr)
        state = self.root / "terraform.tfstate"
        kept = state.read_bytes() if state.exists() else None
        shutil.rmtree(self.folder / "roots", ignore_errors=True)
        terraform.roots(self.folder / "out", self.folder / "roots")
        if kept:
            state.write_bytes(kept)
        (self.root / "harness_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')

    def plan(self, again=False):
        """{address: actions} of what the plan changes."""
        plan = self.core.make_plan(self.root, again)
        return {change["address"]: (change["change"]["actions"] + ["import"] * bool(change["change"].get("importing")))
                for change in plan["resource_changes"] if change["change"]["actions"] not in (["no-op"], ["read"]) or change["change"].get("importing")}

    def apply(self):
        self.core.run(self.root, "apply", "-no-color", "plan")
        changes = self.plan(again=True)
        expect(not changes, f"a second plan is not empty: {changes}")

    def state(self):
        return set(self.core.run(self.root, "state", "list").split())

    def refused(self, words, *edits, apply=False):
        """The root with these edits ends with these words; `apply`: only when it is applied, and nothing of the module is made."""
        main = self.root / "main.tf"
        before = main.read_text()
        for old, new in edits:
            expect(main.read_text().count(old) == 1, f"the root does not have this once: {old}")
            main.write_text(main.read_text().replace(old, new))
        said = ""
        try:
            self.core.run(self.root, "init", "-no-color")
            if apply:
                self.core.run(self.root, "apply", "-no-color", "-auto-approve")
            else:
                self.core.run(self.root, "plan", "-no-color")
        except Failure as refusal:
            said = re.sub(r"[\s│╷╵]+", " ", str(refusal))
        main.write_text(before)
        expect(words in said, f"not refused with `{words}`: {said[-2000:]}")


def walk(logmap, core, folder, provider):
    root = Root(logmap, core, folder, provider)
    root.generate()
    for file in sorted(root.root.glob("*/*.tf")):
        found = re.findall(r"^(?:provider|import)\b.*|^\s*(?:backend|cloud)\b.*\{|^  (?:region|provider) += .*", file.read_text(), re.M)
        expect(not found, f"{file.parent.name}/{file.name} has what only a root may say: {found}")
    wrong = ("aws = aws.us_east_1\n", "aws = aws.eu_west_1\n")
    root.refused("This module is made for the Region us-east-1, and the provider is of another Region", wrong)
    other = ('alias  = "us_east_1"\n  region = "us-east-1"\n\n  # Credentials of any other account are refused before anything is read.\n  allowed_account_ids = ["111122223333"]',
             'alias  = "us_east_1"\n  region = "us-east-1"\n\n  allowed_account_ids = ["999999999999"]')
    root.refused("This module is made for account 111122223333, and the provider is of another account", other)
    # what a call depends on is made first, so that the plan can't know yet
    late = ('source = "./us-east-1"\n', 'source     = "./us-east-1"\n  depends_on = [aws_s3_bucket.first]\n')
    first = ('output "log_buckets"', 'resource "aws_s3_bucket" "first" {\n  provider = aws.us_east_1\n  bucket   = "acme-first"\n}\n\noutput "log_buckets"')
    root.refused("This module is made for the Region us-east-1, and the provider is of another Region", wrong, late, first, apply=True)
    made = {address for address in root.state() if address.startswith("module.logs_us_east_1.") and ".data." not in address}
    expect(not made, f"made in another Region: {made}")
    root.generate()
    (root.root / "terraform.tfstate").unlink()

    changes = root.plan()
    imported = {address for address, actions in changes.items() if "import" in actions}
    expect(imported == IMPORTED, f"imported: {imported}")
    expect({address.split(".")[1] for address in changes} == {"logs_eu_central_1", "logs_eu_west_1", "logs_us_east_1"}, f"the plan changes {changes}")
    expect(all("delete" not in actions for actions in changes.values()), f"a first plan deletes: {changes}")
    root.apply()
    before = root.state()

    # a Region leaves the map: its module forgets, and its call can go after that
    root.generate(lambda text: re.sub(r"      eu-west-1:\n.*?(?=      eu-central-1:)", "", text, flags=re.S))
    changes = root.plan()
    spares_log_buckets({address.removeprefix("module.logs_eu_west_1."): actions for address, actions in changes.items()})
    gone = {address for address in before if ".acme_old_eu_logs" in address}
    expect(gone and all(changes.get(address) == ["forget"] for address in gone), f"a removed Region: {changes}")
    root.apply()
    expect(not gone & root.state(), "the state still has what was to be forgotten")


def layouts(logmap, core, folder, provider):
    """From a root module to modules that a root calls, and back, with one state: addresses move, and nothing is created or deleted."""
    root = Root(logmap, core, folder, provider)
    as_modules = lambda text: text + "  athena: { glue: true }\n"
    as_root = lambda text: as_modules(text).replace("    layout: module\n", "    layout: root\n")
    plain = lambda addresses: {re.sub(r"^module\.\w+\.", "", address) for address in addresses if "data." not in address}

    def moves(change):
        before = root.state()
        root.generate(change)
        changes = root.plan()
        expect(not changes, f"another layout: {changes}")
        root.apply()
        expect(plain(before) == plain(root.state()), f"something is not where it was: {plain(before) ^ plain(root.state())}")
        return {address.split(".")[0].removesuffix("s_eu_central_1") for address in root.state() if "eu_central_1" in address and "data." not in address}

    root.generate(as_root)
    root.plan()
    root.apply()
    expect(moves(as_modules) == {"module"}, "left at the root")
    expect("module" not in moves(as_root), "left in modules")

    # with the layout a log bucket leaves the map, and other code sets rules: they are forgotten where they were
    def both(text):
        changed = text.replace("log_bucket: { adopt: { existing: [policy] }, name: acme-old-eu-logs }", "log_bucket: { name: acme-new-eu-logs }")
        return changed.replace("log_bucket: { split_trails: true,", "log_bucket: { split_trails: true, lifecycle: external,")

    for change, prefix in ((lambda text: both(as_modules(text)), ""), (as_root, "module.logs_eu_")):
        gone = {address for address in root.state() if ".acme_old_eu_logs" in address or ".acme_new_eu_logs" in address
                or re.search(r"lifecycle_configuration\..*eu_central_1", address)}
        root.generate(change)
        changes = root.plan()
        spares_log_buckets(changes)
        expect(all("delete" not in actions for actions in changes.values()), f"another layout deletes: {changes}")
        forgotten = {address for address, actions in changes.items() if actions == ["forget"]}
        expect(forgotten == gone if not prefix else all("acme_new_eu_logs" in address for address in forgotten), f"forgotten: {forgotten}, and not {gone}")
        root.apply()


# where nothing listens: a backend whose block the core takes gets no further than that
BACKENDS = {
    "kubernetes": {"secret_suffix": "logs-{account}", "labels": {"a": "b"}, "config_path": "/nonexistent",
                   "exec": {"api_version": "client.authentication.k8s.io/v1", "command": "aws", "args": ["eks"], "env": {"A": "b"}}},
    "remote": {"hostname": "127.0.0.1", "organization": "acme", "workspaces": {"name": "logs-{account}"}},
    "cloud": {"hostname": "127.0.0.1", "organization": "acme", "workspaces": {"tags": ["logs", "{org}"]}},
    "pg": {"conn_str": "postgres://127.0.0.1:1/state", "schema_name": "logs_{account_id}"},
    "consul": {"address": "127.0.0.1:1", "path": "logs/{account}", "gzip": True},
    "http": {"address": "http://127.0.0.1:1/{account}", "retry_max": 0},
    "local": {"path": "logs.tfstate"},
    "s3": {"bucket": "acme-state", "region": "us-east-1", "settings": {
        "assume_role": {"role_arn": "arn:{partition}:iam::111122223333:role/state", "tags": {"a": "b"}}, "allowed_account_ids": ["111122223333"],
        "max_retries": 0, "skip_metadata_api_check": True, "endpoints": {"s3": "http://127.0.0.1:1", "sts": "http://127.0.0.1:1"}}},
}
REACHED = "connection refused|Failed to get existing workspaces|No valid credential sources found|Cannot assume IAM Role|Failed to request discovery document"


def backend(logmap, core, folder, kind, settings):
    """The core takes the block of a backend as it is rendered: what ends it is that nothing is there."""
    terraform_keys = {"cloud": settings} if kind == "cloud" else {"backend": {kind: settings}}
    made = {"version": 1, "organization": {"name": "acme"}, "render": {"terraform": terraform_keys},
            "accounts": {"prod": {"id": "111122223333", "regions": {"us-east-1": {"buckets": ["acme-web"]}}}}}
    path = folder / "logmap.yaml"
    path.write_text(json.dumps(made))
    done = subprocess.run([logmap, "generate", path, "--out", folder / "out", "-q"], env=clean_env(), capture_output=True, text=True)
    expect(done.returncode == 0, done.stdout + done.stderr)
    module = folder / "out" / "terraform" / "prod"
    core.run(module, "fmt", "-check", "-diff")
    said = ""
    try:
        core.run(module, "init", "-no-color")
    except Failure as refusal:
        said = str(refusal)
    if kind != "local":
        expect(re.search(REACHED, said), f"the backend {kind} did not come to its network: {said[-2000:]}")
    wrong = re.findall("Unsupported (?:argument|block type)|Missing required argument|Invalid .*|Incorrect .*", said)
    expect(not wrong, f"{wrong}: {said[-2000:]}")


def check(report, logmap, core, new_folder, providers):
    for kind, settings in BACKENDS.items():
        if report.wants(f"called/backend-{kind}"):
            with report.check(f"called/backend-{kind}"):
                backend(logmap, core(), new_folder(), kind, settings)
    for provider in providers:
        name = f"called/provider-{provider}"
        if report.wants(name):
            with report.check(name):
                walk(logmap, core(), new_folder(), provider)
        name = f"called/layouts-{provider}"
        if report.wants(name):
            with report.check(name):
                layouts(logmap, core(), new_folder(), provider)
