"""From one generation of a module to the next, applied by Terraform's own core to a state: what changes, and what never may.

The stand-in provider applies whatever was planned; there is no AWS behind it.  All of it runs with provider 6 and 5.
The custom resource of a CloudFormation stack goes through its requests here, too.
"""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .report import Failure, clean_env, expect

MAP = {
    "version": 1, "organization": {"name": "acme"},
    "accounts": {"prod": {"id": "111122223333", "regions": {
        "us-east-1": {"buckets": ["acme-web", "acme-data"]},
        "eu-west-1": {"log_bucket": {"adopt": {"existing": ["policy"]}, "name": "acme-old-logs"}, "buckets": ["acme-eu"]},
        "eu-central-1": {"log_bucket": {"split_trails": True, "object_lock": {"mode": "GOVERNANCE", "days": 30}}, "buckets": ["acme-de", "acme-moving"]}}}},
    "trails": {"audit": {"accounts": ["prod"], "home_region": "us-east-1", "s3_data_events": True}, "local": {"accounts": ["prod"], "coverage": "per-region"}},
}
PREFIX = "aws_s3_bucket"
CASES = Path(__file__).parents[1] / "custom_resource_test.py"


class Module:
    """The module of one account, generation after generation, with one state."""

    def __init__(self, logmap, core, folder, provider):
        self.logmap, self.core, self.folder, self.module = logmap, core, folder, folder / "module"
        self.map = json.loads(json.dumps(MAP)) | {"render": {"terraform": {"aws_provider": provider}}}
        self.regions = self.map["accounts"]["prod"]["regions"]
        self.module.mkdir()

    def plan(self, *flags):
        """Generates, and gives {address: actions} of what the plan changes."""
        path = self.folder / "logmap.yaml"
        path.write_text(json.dumps(self.map))
        done = subprocess.run([self.logmap, "generate", path, "--out", self.folder / "out", "--quiet"], env=clean_env(), capture_output=True, text=True)
        expect(done.returncode == 0, done.stdout + done.stderr)
        for old in self.module.iterdir():
            if old.suffix == ".tf" or old.name == "policies":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(self.folder / "out" / "terraform" / "prod", self.module, dirs_exist_ok=True)
        plan = self.core.plan(self.module, again=(self.module / ".terraform").exists())
        return {change["address"]: (change["change"]["actions"] + ["import"] * bool(change["change"].get("importing")))
                for change in plan["resource_changes"] if change["change"]["actions"] != ["no-op"] or change["change"].get("importing")}

    def apply(self):
        self.core.run(self.module, "apply", "-no-color", "plan")

    def rests(self):
        """A second plan has nothing to do."""
        changes = self.plan()
        expect(not changes, f"a second plan is not empty: {changes}")

    def state(self):
        return set(self.core.run(self.module, "state", "list").split())


def only(changes, wanted):
    expect(changes == wanted, f"the plan changes {changes}, not {wanted}")


def spares_log_buckets(changes):
    """No bucket and no setting of a bucket is deleted or replaced; only the logging of sources comes and goes."""
    for address, actions in changes.items():
        if address.startswith(PREFIX) and not address.startswith("aws_s3_bucket_logging."):
            expect("delete" not in actions, f"{address} is to be {'replaced' if 'create' in actions else 'deleted'}")


def protected(module):
    """Each log bucket and each policy has prevent_destroy, and the core heeds it."""
    for path in module.module.glob("*.tf"):
        for kind, label, body in re.findall(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', path.read_text(), re.S | re.M):
            if kind in ("aws_s3_bucket", "aws_s3_bucket_policy"):
                expect("prevent_destroy = true" in body, f"{kind}.{label} has no prevent_destroy")
    try:
        module.core.run(module.module, "plan", "-destroy", "-no-color")
    except Failure as refused:
        said = str(refused)
        expect("Instance cannot be destroyed" in said, said)
        # the policies are refused first, and the core then asks no more about the buckets below them
        count = len([address for address in module.state() if address.startswith("aws_s3_bucket_policy.")])
        expect(said.count("Instance cannot be destroyed") == count, f"{said.count('Instance cannot be destroyed')} refusals for {count} policies")
        return
    raise Failure("terraform destroy would delete the log buckets")


def walk(logmap, core, folder, provider):
    module = Module(logmap, core, folder, provider)
    first = module.plan()
    adopted = {address for address, actions in first.items() if "import" in actions}
    expect(adopted == {"aws_s3_bucket.acme_old_logs", "aws_s3_bucket_policy.acme_old_logs"}, f"imported: {adopted}")
    expect(all("delete" not in actions for actions in first.values()), f"a first plan deletes: {first}")
    module.apply()
    module.rests()
    protected(module)

    module.regions["us-east-1"]["buckets"].append("acme-new")
    changes = module.plan()
    only(changes, {'aws_s3_bucket_logging.us_east_1["acme-new"]': ["create"], "aws_s3_bucket_policy.acme_logs_111122223333_us_east_1": ["update"]})
    module.apply()
    module.rests()

    module.regions["eu-central-1"]["buckets"].remove("acme-moving")
    module.regions["us-east-1"]["buckets"].append("acme-moving")
    changes = module.plan()
    spares_log_buckets(changes)
    only(changes, {'aws_s3_bucket_logging.eu_central_1["acme-moving"]': ["delete"], 'aws_s3_bucket_logging.us_east_1["acme-moving"]': ["create"],
                   "aws_s3_bucket_policy.acme_logs_111122223333_us_east_1": ["update"], "aws_s3_bucket_policy.acme_logs_111122223333_eu_central_1": ["update"]})
    module.apply()
    module.rests()

    module.regions["us-east-1"]["log_bucket"] = {"key_format": "simple"}
    changes = module.plan()
    spares_log_buckets(changes)
    expect({tuple(actions) for actions in changes.values()} == {("update",)}, f"another key format changes {changes}")
    module.apply()
    module.rests()

    del module.regions["eu-west-1"]
    before, changes = module.state(), module.plan()
    spares_log_buckets(changes)
    gone = {address for address in before if ".acme_old_logs" in address}
    expect(gone and all(changes.get(address) == ["forget"] for address in gone), f"a removed Region: {changes}")
    removed = (module.module / "removed.tf").read_text()
    expect(removed.count("removed {") == removed.count("destroy = false") > 0, removed)
    module.apply()
    expect(not gone & module.state(), "the state still has what was to be forgotten")
    module.rests()

    module.map["organization"]["name"] = "renamed"
    changes = module.plan()
    spares_log_buckets(changes)
    forgotten = [address for address, actions in changes.items() if actions == ["forget"] and address.startswith("aws_s3_bucket.")]
    made = [address for address, actions in changes.items() if actions == ["create"] and address.startswith("aws_s3_bucket.")]
    expect(len(forgotten) == len(made) == 3, f"renamed log buckets: {changes}")
    module.apply()
    module.rests()


def upgrade(logmap, core, folder):
    """From version 5 of the provider to version 6, in two steps that change nothing; in one step, resources would be replaced."""
    module = Module(logmap, core, folder, 5)

    def look(**terraform):
        """The plan of another look, with the provider that it asks for: what `terraform init -upgrade` comes to."""
        module.map["render"] = {"terraform": terraform}
        shutil.rmtree(module.module / ".terraform")
        (module.module / ".terraform.lock.hcl").unlink()
        return module.plan()

    module.plan()
    module.apply()
    module.rests()
    before = module.state()
    try:
        changes = look(aws_provider=6)
        expect(any("delete" in actions for actions in changes.values()), f"the stand-in does not see that one step is too few: {changes}")
    except Failure as refused:
        expect("Instance cannot be destroyed" in str(refused), str(refused))
    only(look(aws_provider=6, aliased_providers=True), {})
    module.apply()
    module.rests()
    only(look(aws_provider=6), {})
    module.apply()
    module.rests()
    expect(module.state() == before, "the addresses are not the same")


def custom_resource(logmap, folder):
    """The cases of custom_resource_test.py, with the inline code of a generated template."""
    path = folder / "logmap.yaml"
    path.write_text(json.dumps(MAP))
    done = subprocess.run([logmap, "generate", path, "--out", folder / "out", "--quiet"], env=clean_env(), capture_output=True, text=True)
    expect(done.returncode == 0, done.stdout + done.stderr)
    template = folder / "out" / "cloudformation" / "prod" / "us-east-1.yaml"
    done = subprocess.run([sys.executable, CASES, template], env=clean_env(), capture_output=True, text=True)
    expect(done.returncode == 0 and "OK" in done.stderr, done.stdout + done.stderr[-3000:])


def check(report, logmap, core, new_folder, providers):
    if report.wants("changes/custom-resource"):
        with report.check("changes/custom-resource"):
            custom_resource(logmap, new_folder())
    if report.wants("changes/provider-upgrade"):
        with report.check("changes/provider-upgrade"):
            upgrade(logmap, core(), new_folder())
    for provider in providers:
        name = f"changes/provider-{provider}"
        if report.wants(name):
            with report.check(name):
                walk(logmap, core(), new_folder(), provider)
