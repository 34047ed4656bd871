"""The hooks for pre-commit, run by pre-commit itself; and the steps of action.yml, run by bash.

pre-commit would build logmap; here the hooks get the one that is built already, and everything else of them is as it stands.
"""
import os
import subprocess

from .report import clean_env, expect
from .tools import find_tool

MAP = """version: 1
organization: { name: acme }
accounts: { prod: { id: "111122223333", regions: { us-east-1: { buckets: [acme-web] } } } }
"""
GOOD = """Resources:
  Logs: { Type: AWS::S3::Bucket, Properties: { BucketName: acme-logs } }
"""
BAD = GOOD + """  Web: { Type: AWS::S3::Bucket, Properties: { LoggingConfiguration: { DestinationBucketName: !Ref Logs } } }
"""


def environment(root, logmap, folder):
    names = folder / "bin"
    names.mkdir(exist_ok=True)
    if not (names / "logmap").exists():
        (names / "logmap").symlink_to(logmap)
    git = {f"GIT_{who}_{what}": "harness@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return clean_env(HOME=str(folder), PRE_COMMIT_HOME=str(folder / "cache"), PATH=f"{names}{os.pathsep}{os.environ['PATH']}", **git)


def run(env, cwd, *command):
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


def pre_commit(root, logmap, folder):
    tool, env = find_tool("pre-commit"), environment(root, logmap, folder)
    hooks, work = folder / "hooks", folder / "work"
    for place in (hooks, work):
        place.mkdir()
        expect(run(env, place, "git", "init", "--quiet").returncode == 0, "git init fails")
    text = (root / ".pre-commit-hooks.yaml").read_text()
    expect(text.count("language: rust") == 3, "the hooks are not what this test thinks")
    (hooks / ".pre-commit-hooks.yaml").write_text(text.replace("language: rust", "language: system"))
    run(env, hooks, "git", "add", ".")
    expect(run(env, hooks, "git", "commit", "--quiet", "-m", "hooks").returncode == 0, "git commit fails")
    revision = run(env, hooks, "git", "rev-parse", "HEAD").stdout.strip()
    (work / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {hooks}\n    rev: {revision}\n    hooks: [{{ id: logmap-check }}, {{ id: logmap-validate }}, {{ id: logmap-generate }}]\n")
    (work / "logmap.yaml").write_text(MAP)
    (work / "notes.json").write_text("{}")
    expect(run(env, work, env["PATH"].split(os.pathsep)[0] + "/logmap", "generate").returncode == 0, "generate fails")

    def outcome(template, region_map):
        (work / "template.yaml").write_text(template)
        (work / "logmap.yaml").write_text(region_map)
        run(env, work, "git", "add", ".")
        done = run(env, work, tool, "run", "--all-files")
        lines = {line.split(".")[0].strip(): line.rsplit(".", 1)[-1] for line in done.stdout.splitlines() if line.endswith(("Passed", "Failed"))}
        return done.returncode, lines, done.stdout
    clean = outcome(GOOD, MAP)
    expect(clean[:2] == (0, {"logmap check": "Passed", "logmap validate": "Passed", "logmap generate --check": "Passed"}), clean[2])
    # a hostile name must not hide what is wrong
    (work / "--baseline=known.json").write_text("{}")
    bad = outcome(BAD, MAP)
    expect(bad[0] == 1 and bad[1]["logmap check"] == "Failed" and "LM1301" in bad[2], bad[2])
    stale = outcome(GOOD, MAP.replace("acme-web", "acme-other"))
    expect(stale[0] == 1 and stale[1] == clean[1] | {"logmap generate --check": "Failed"}, stale[2])


def action(root, logmap, folder):
    """The commands of the action, with inputs that try to be code."""
    import re
    text = (root / "action.yml").read_text()
    steps = re.findall(r"^      run: (.+)$", text, re.M)
    expect(len(steps) == 4 and not any("${{" in step for step in steps), "an input stands in a command")
    validate, check, generate = (step.strip("'") for step in steps[1:])
    (folder / "logmap" / "bin").mkdir(parents=True)
    (folder / "logmap" / "bin" / "logmap").symlink_to(logmap)
    (folder / "template.yaml").write_text(BAD)
    (folder / "logmap.yaml").write_text(MAP)
    base = clean_env(RUNNER_TEMP=str(folder), CHECK="template.yaml", FLAGS="", MAP="logmap.yaml", OUT="out")
    valid = run(base, folder, "bash", "-ec", validate)
    expect(valid.returncode == 0, valid.stdout + valid.stderr)
    wrong = run(base | {"MAP": "$(touch owned)"}, folder, "bash", "-ec", validate)
    expect(wrong.returncode == 2 and not (folder / "owned").exists(), "the map's name was run as code")
    found = run(base, folder, "bash", "-ec", check)
    expect(found.returncode == 1 and "::error file=template.yaml" in found.stdout, found.stdout + found.stderr)
    hostile = run(base | {"CHECK": "template.yaml; touch owned", "FLAGS": "$(touch owned)"}, folder, "bash", "-ec", check)
    expect(hostile.returncode == 2 and not (folder / "owned").exists(), "an input was run as code")
    flag = run(base | {"CHECK": "template.yaml --write-baseline=owned"}, folder, "bash", "-ec", check)
    expect(flag.returncode == 2 and not (folder / "owned").exists(), "a file's name was taken for a flag")
    missing = run(base, folder, "bash", "-ec", generate)
    expect(missing.returncode == 1 and "::error file=out/README.md" in missing.stdout, "nothing has been generated yet")
    expect(run(base, folder, folder / "logmap" / "bin" / "logmap", "generate").returncode == 0, "generate fails")
    fresh = run(base, folder, "bash", "-ec", generate)
    expect(fresh.returncode == 0, fresh.stdout + fresh.stderr)


def check(report, root, logmap, new_folder):
    for name, test in (("hooks/pre-commit", pre_commit), ("hooks/action", action)):
        if report.wants(name):
            with report.check(name):
                test(root, logmap, new_folder())
