"""What scanners say of generated code: Checkov with all its checks on each tree's Terraform and CloudFormation.

Nothing may be left that a reviewer would have to explain: no check fails, and each suppression has a reason. Nor may a suppression
be there that is not needed: with all of them taken away, exactly those checks must fail that they name.
"""
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .report import ToolMissing, clean_env, expect

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS, VENV = ROOT / "tests" / "requirements-checkov.txt", ROOT / "target" / "checkov"
OFF = """\
version: 1
organization: { name: acme }
defaults:
  log_bucket: { versioning: false, deny_insecure_transport: false, key_format: simple }
accounts:
  prod:
    id: "111122223333"
    regions:
      us-east-1: { log_bucket: { split_trails: true }, buckets: [acme-web] }
trails:
  audit: { coverage: per-region, log_file_validation: false }
render: { cloudformation: { source_logging: outputs-only } }
"""


def checkov():
    """The program, installed once; again when its pin changes."""
    stamp, wanted = VENV / "requirements.sha256", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        shutil.rmtree(VENV, ignore_errors=True)
        pip = [VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]
        for command in ([sys.executable, "-m", "venv", VENV], pip):
            if subprocess.run(command).returncode:
                raise ToolMissing("checkov")
        stamp.write_text(wanted)
    return VENV / "bin" / "checkov"


def scan(folder, *flags):
    """{(file, resource, check)} of what failed and of what was suppressed, without reason last, and how many checks passed."""
    # a folder without settings of its own, and patience: on a busy machine it would give a long file up without a word
    done = subprocess.run([checkov(), "--directory", folder, "--output", "json", "--skip-download", *flags], cwd=folder,
                          env=clean_env(HOME=str(folder), HCL_PARSE_TIMEOUT_SEC="600"), capture_output=True, text=True)
    expect(done.returncode in (0, 1), f"checkov exits {done.returncode}\n{done.stderr[-2000:]}")
    answers = json.loads(done.stdout)
    answers, passed = answers if isinstance(answers, list) else [answers], 0
    failed, skipped, bare = set(), set(), set()
    for answer in answers:
        if "results" not in answer:
            continue  # nothing to scan
        results = answer["results"]
        expect(not results["parsing_errors"], f"checkov can't read {results['parsing_errors']}")
        passed += len(results["passed_checks"])
        for kind, found in (("failed_checks", failed), ("skipped_checks", skipped)):
            for one in results[kind]:
                key = one["file_path"].lstrip("/"), one["resource"], one["check_id"]
                found.add(key)
                if kind == "skipped_checks" and not one["check_result"].get("suppress_comment", "").strip():
                    bare.add(key)
    return failed, skipped, bare, passed


def strip(folder):
    """Takes every suppression for Checkov away."""
    for path in folder.rglob("*.tf"):
        path.write_text(re.sub(r"(?m)^ *#checkov:skip=.*\n", "", path.read_text()))
    for path in (folder.rglob("*.yaml")):
        path.write_text(re.sub(r"(?m)^      checkov:\n(?:       .*\n)+", "", path.read_text()))
    for path in folder.rglob("*template.json"):
        template = json.loads(path.read_text())
        for resource in template["Resources"].values():
            resource.get("Metadata", {}).pop("checkov", None)
        path.write_text(json.dumps(template))


def named(keys):
    return "".join(f"\n{check} {resource} in {file}" for file, resource, check in sorted(keys)[:20])


def judge(folder, bare_folder):
    """Raises where a check fails, a suppression has no reason, or one is not needed; gives the number of suppressions."""
    failed, skipped, without_reason, passed = scan(folder)
    expect(not failed, f"checks that fail:{named(failed)}")
    expect(not without_reason, f"suppressions without a reason:{named(without_reason)}")
    expect(passed > len(skipped), f"only {passed} checks passed: the scan has not seen the trees")
    shutil.copytree(folder, bare_folder)
    strip(bare_folder)
    needed, left, _, _ = scan(bare_folder, "--framework", "terraform", "cloudformation")
    expect(not left, f"suppressions that could not be taken away:{named(left)}")
    expect(not skipped - needed, f"suppressions that are not needed:{named(skipped - needed)}")
    return len(skipped)


def breaks(folder, path, old, new, said):
    """A tree that is broken in one place must be refused, in those words."""
    text = (folder / path).read_text()
    expect(old in text, f"{path} has no {old!r} to break")
    (folder / path).write_text(text.replace(old, new, 1))
    try:
        judge(folder, folder.with_name(folder.name + "-bare"))
    except Exception as refused:
        expect(said in str(refused), f"refused for another reason: {refused}")
    else:
        expect(False, f"{new!r} in {path} was not found")
    (folder / path).write_text(text)
    shutil.rmtree(folder.with_name(folder.name + "-bare"), ignore_errors=True)


def check(report, generate, maps, new_folder):
    """`generate(map, folder)` gives a map's tree; `maps` is {name: path}."""
    if not report.wants("scanners"):
        return
    folder = new_folder()
    (folder / "off.yaml").write_text(OFF)
    for name, path in {**maps, "off": folder / "off.yaml"}.items():
        tree = generate(path, new_folder())
        for target in ("terraform", "cloudformation"):
            shutil.copytree(tree / target, folder / "trees" / name / target)
    with report.check("scanners/checkov"):
        print(f"        {judge(folder / 'trees', folder / 'bare')} suppressions, all needed")
    with report.check("scanners/selftest"):
        small = folder / "small"
        shutil.copytree(folder / "trees" / "off", small)
        module = "terraform/prod/us-east-1.tf"
        breaks(small, module, "block_public_acls       = true", "block_public_acls       = false", "CKV_AWS_53")
        breaks(small, module, "  #checkov:skip=CKV_AWS_18:", "  #checkov:skip=CKV_AWS_20:none\n  #checkov:skip=CKV_AWS_18:", "not needed")
        breaks(small, "cloudformation/prod/us-east-1.yaml", "Status: Suspended", "Status: Suspended\n      AccessControl: PublicRead", "CKV_AWS_20")
