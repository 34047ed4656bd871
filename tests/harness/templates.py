"""Checks the CloudFormation templates: cfn-lint without a warning, then deployed into the mock and judged like the scripts."""
import re
import subprocess

from . import delivery
from .report import Failure, clean_env, expect
from .stacks import Answers, Stack
from .tools import find_tool

STRANGER = "999999999999"
# cfn-lint rules that are wrong about our templates: rule → why
ALLOWED = {}


def lint(paths):
    allowed = ["--ignore-checks", *ALLOWED] if ALLOWED else []
    done = subprocess.run([find_tool("cfn-lint"), "--format", "parseable", *allowed, "--template", *paths], env=clean_env(), capture_output=True, text=True)
    expect(done.returncode == 0, done.stdout + done.stderr)


def placed(stage):
    """[(account, template)] in apply order: within an account as its README has them."""
    readme = stage.tree / "README.md"  # a stack alone has none
    named = re.findall(r"cloudformation/(\S+\.yaml)", readme.read_text()) if readme.exists() else []
    place = lambda path: named.index("/".join(path.parts[-2:])) if "/".join(path.parts[-2:]) in named else len(named)
    return [(stage.map.accounts[key], path) for key in stage.order for path in sorted((stage.tree / "cloudformation" / key).glob("*.yaml"), key=lambda path: (place(path), path))
            if "-athena" not in path.stem]  # those are compared with the DDL


def refuses_others(account, path):
    """A template's own rules refuse another account and another Region."""
    for where in ((STRANGER, path.stem), (account.id, "eu-south-2")):
        expect(Stack(None, None, path, *where).refusals(), f"{path.name} does not refuse to be deployed to {'/'.join(where)}")


def check(report, name, stage):
    templates = placed(stage)
    with report.check(f"{name}/cfn-lint"):
        expect(templates, "there is no template")
        lint(sorted((stage.tree / "cloudformation").rglob("*.yaml")))
    with report.check(f"{name}/refuses-others"):
        for account, path in templates:
            refuses_others(account, path)
    stacks = []
    with report.check(f"{name}/delivery"):
        stage.set_scene()
        answers = Answers()
        for account, path in templates:
            stacks.append(Stack(stage.world, answers, path, account.id, path.stem))
            try:
                stacks[-1].deploy()
            except Exception as error:
                if isinstance(error, Failure):
                    raise
                raise Failure(f"{path.relative_to(stage.tree)}: {error}") from error
        stage.deployed = stage.delivers(sources=stage.map.sources if stage.map.stack_sets_logging else {})
    if len(stacks) != len(templates) or not stage.map.stack_sets_logging:
        return
    with report.check(f"{name}/update"):
        before = stage.snapshot()
        for stack in stacks:
            stack.update()
        expect(stage.snapshot() == before, "an update without a change changed something")
    with report.check(f"{name}/delete"):
        for stack in reversed(stacks):
            stack.delete()
        now = stage.snapshot()
        still = [source for source in stage.map.sources if now["buckets"][source]["logging"]]
        expect(not still, f"still logging after the stacks are deleted: {still}")
        broken = delivery.problems(now, [], [], stage.map.organization)
        expect(not broken, "\n".join(broken))
