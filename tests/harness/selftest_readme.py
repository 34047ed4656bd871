"""The README checks on themselves: what must pass passes, what must fail fails."""
from . import readme
from .report import Failure, clean_env, expect

FENCE = "```"
GOOD = f"""
<!-- file: sub/a.txt -->
{FENCE}text
one
{FENCE}

{FENCE}console
$ cat sub/a.txt
one
$ printf '1\\n2\\n3\\n' \\
    | cat
1
...
3
{FENCE}

<!-- exits 3 -->
{FENCE}console
$ echo out; echo err >&2; exit 3
out
err
{FENCE}

<!-- not run: it installs -->
{FENCE}sh
cargo install logmap
{FENCE}
"""
BAD = [("$ echo one\ntwo\n", "prints"), ("$ false\n", "exits 1, not 0"), ("one\n", "starts with output"), ("$ echo one\n", "prints")]


def check(report, new_folder):
    if not report.wants("selftest/readme"):
        return
    with report.check("selftest/readme"):
        path = clean_env()["PATH"]
        expect(readme.run_file(GOOD, new_folder(), path) == 2, "not every block was run")
        for body, reason in BAD + [(None, "neither")]:
            text = f"{FENCE}console\n{body}{FENCE}\n" if body else f"{FENCE}sh\nls\n{FENCE}\n"
            try:
                readme.run_file(text, new_folder(), path)
            except Failure as failure:
                expect(reason in str(failure), f"failed, but not because of `{reason}`: {failure}")
            else:
                raise Failure(f"passed, although it should fail:\n{text}")
