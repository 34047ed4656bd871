"""Counts and prints checks.  Owns what "passed", "failed" and "skipped" mean; every other module only raises.

A check that raises has failed; the message says why.  A check whose tool cannot be had is skipped, by name and
counted, unless the run is --full, where it fails.
"""
import os
import time
import traceback
from contextlib import contextmanager, nullcontext


class Failure(Exception):
    """A check's own verdict: the message is all that needs to be printed."""


class ToolMissing(Exception):
    """A tool is not here; the message names it."""


class Report:
    def __init__(self, only=(), full=False):
        self.only, self.full = list(only), full
        self.passed = self.failed = self.skipped = 0

    def wants(self, name):
        """Whether `--only` selects the check or group of checks: a part of its name is enough."""
        return not self.only or any(word in name for word in self.only)

    @contextmanager
    def check(self, name):
        """One check: prints its result and its time; an exception inside is its failure."""
        start = time.monotonic()
        took = lambda: f"{time.monotonic() - start:.1f}s"
        try:
            yield
        except ToolMissing as missing:
            if self.full:
                self.failed += 1
                print(f"FAIL    {name}: {missing} is missing", flush=True)
            else:
                self.skipped += 1
                print(f"not run {name}: {missing} is missing", flush=True)
        except Exception as error:  # every failure is reported, and the run goes on
            self.failed += 1
            text = str(error) if isinstance(error, Failure) else traceback.format_exc()
            print(f"FAIL    {name} ({took()})\n" + "".join(f"        {line}\n" for line in text.splitlines()), end="", flush=True)
        else:
            self.passed += 1
            print(f"ok      {name} ({took()})", flush=True)

    def save(self, path):
        """Leaves the counts for `tests/run`, which adds its own."""
        with open(path, "w") as out:
            out.write(f"{self.passed} {self.failed} {self.skipped}\n")


class Silent(Report):
    """For mutants: the first failure is raised instead of printed."""

    def check(self, name):
        return nullcontext()


def expect(condition, message):
    if not condition:
        raise Failure(message)


def clean_env(**extra):
    """The environment of a child: nothing of the caller's AWS, Terraform, colour or CI settings."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "TMPDIR", "LANG", "HOME")}
    return {**kept, "LC_ALL": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": "", "PYTHONDONTWRITEBYTECODE": "1", **extra}
