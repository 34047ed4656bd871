"""Completions as bash makes them of the script, and the manual pages as groff reads them."""
import subprocess

from .report import clean_env, expect
from .tools import find_tool

# what is typed, and words that must and must not be offered
TYPED = [
    (["logmap", "gen"], {"generate"}, {"validate"}),
    (["logmap", "validate", "--format", ""], {"json", "sarif"}, {"generate"}),
    (["logmap", "validate", "--fa"], {"--fail-on"}, {"--fix"}),
    (["logmap", "generate", "--region", ""], {"eu-west-1", "us-gov-west-1"}, {"mars-1"}),
    (["logmap", "explain", ""], {"LM0101", "LM2101"}, {"LM9999"}),
    (["logmap", "completions", ""], {"bash", "zsh", "fish", "elvish", "powershell"}, {"json"}),
]
PROBE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
function=$(complete -p logmap | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function" logmap "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def check(report, logmap, folder):
    for name, look in (("completions", completions), ("pages", pages)):
        if report.wants(f"manual/{name}"):
            with report.check(f"manual/{name}"):
                look(logmap, folder)


def run(logmap, *arguments):
    done = subprocess.run([logmap, *arguments], env=clean_env(), capture_output=True, text=True)
    expect(done.returncode == 0, f"{arguments}: {done.returncode} {done.stderr}")
    return done.stdout


def completions(logmap, folder):
    for shell in ("bash", "zsh", "fish", "elvish", "powershell"):
        expect("generate" in run(logmap, "completions", shell), f"the script for {shell} does not know `generate`")
    script = folder / "logmap.bash"
    script.write_text(run(logmap, "completions", "bash"))
    for words, wanted, unwanted in TYPED:
        done = subprocess.run(["bash", "-c", PROBE, "bash", script, *words], env=clean_env(), capture_output=True, text=True)
        offered = set(done.stdout.split())
        expect(done.returncode == 0 and not done.stderr, f"{words}: {done.returncode} {done.stderr}")
        expect(wanted <= offered and not unwanted & offered, f"{words}: {offered}")


def pages(logmap, folder):
    run(logmap, "man", "--out", folder / "man")
    written = sorted((folder / "man").iterdir())
    first = next(page for page in written if page.name == "logmap.1")
    expect(first.read_text() == run(logmap, "man"), "`man` prints another page than it writes")
    expect(len(written) > 10 and folder / "man" / "logmap-generate.1" in written, f"{written}")
    for page in written:
        done = subprocess.run([find_tool("groff"), "-man", "-ww", "-Tutf8", page], env=clean_env(), capture_output=True, text=True)
        expect(done.returncode == 0 and not done.stderr and f"{page.stem}(1)" in done.stdout, f"{page.name}: {done.stderr}")
    broken = subprocess.run([find_tool("groff"), "-man", "-ww", "-Tutf8", "-z"], input=".TH x 1\n.nosuchmacro\n", capture_output=True, text=True)
    expect(broken.stderr, "groff warns of nothing")
