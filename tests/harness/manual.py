"""Completions as bash, zsh and fish make them of the scripts, and the manual pages as groff reads them."""
import os
import subprocess
from pathlib import Path

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


# bash as above; fish says what it would offer; zsh completes only at a terminal, where compadd tells what it is given
FISH = "source $argv[1]; complete -C (string join ' ' -- $argv[2..] | string collect) | string replace -r '\\t.*' ''; true"
ZSH = """
zmodload zsh/zpty
zpty terminal zsh -f -i
zpty -w terminal "PS1=; PROMPT=; unsetopt zle_bracketed_paste 2>/dev/null; autoload -U compinit; compinit -u -D; source ${(q)1}
compadd() { local -A given; local -a all; [[ \\$1 == -[AOD] || \\$argv[(I)-[AOD]] -gt 0 ]] || { builtin compadd -O all \\$argv; print -rl -- \\$all >> ${(q)2} }; builtin compadd \\$argv }
print ready > ${(q)2}"
repeat 200; do [[ -s $2 ]] && break; sleep 0.05; done
zpty -w -n terminal "${*[3,-1]}"$'\t'
repeat 60; do sleep 0.05; [[ $(wc -l < $2) -gt 1 ]] && break; done
zpty -r -t terminal seen
zpty -d terminal
tail -n +2 $2
"""
# a map whose keys would be commands wherever a shell read them as such; of these only `prod` and `prod-eu` are keys
HOSTILE = ["$(touch touched)", "`touch touched`", "x;touch touched", "a b", "prod'; touch touched; '", "*", "~", "prod\\n$(touch touched)", "-rf", "${IFS}touch"]
ACCOUNTS = [
    (["logmap", "generate", "--account", ""], {"prod", "prod-eu", "dev"}),
    (["logmap", "generate", "--account", "prod-"], {"prod-eu"}),
    (["logmap", "-q", "graph", "--account", "dev,pr"], {"dev,prod", "dev,prod-eu"}),
    (["logmap", "drift", "other.yaml", "--account", ""], {"elsewhere", "other"}),
    (["logmap", "drift", "with\\ space.yaml", "--account", ""], {"elsewhere", "other"}),
    (["logmap", "drift", "'with space.yaml'", "--account", ""], {"elsewhere", "other"}),
    (["logmap", "check", "--map", "other.yaml", "--account", ""], {"111122223333"}),
    (["logmap", "check", "--account", ""], set()),
    (["logmap", "generate", "broken.yaml", "--account", ""], set()),
    (["logmap", "generate", "$(touch touched).yaml", "--account", ""], set()),
    (["logmap", "generate", "missing.yaml", "--account", ""], set()),
    (["logmap", "generate", "-", "--account", ""], set()),
]


def check(report, logmap, folder):
    for name, look in (("completions", completions), ("pages", pages)):
        if report.wants(f"manual/{name}"):
            with report.check(f"manual/{name}"):
                look(logmap, folder)
    for shell, probe in (("bash", PROBE), ("zsh", ZSH), ("fish", FISH)):
        if report.wants(f"manual/accounts-{shell}"):
            with report.check(f"manual/accounts-{shell}"):
                accounts(logmap, folder / shell, find_tool(shell), shell, probe)


def accounts(logmap, folder, program, shell, probe):
    """What a shell offers of maps, one of them hostile. It finds logmap on PATH, and must not start the one of the folder."""
    folder.mkdir()
    write = lambda name, keys: (folder / name).write_text("version: 1\norganization: { name: acme }\naccounts:\n" + keys)
    account = ': { id: "%s", regions: { us-east-1: { buckets: [acme-web] } } }\n'
    keys = ["prod", "prod-eu", "dev", *(f"\"{key}\"" for key in HOSTILE)]
    write("logmap.yaml", "".join(f"  {key}" + account % f"{at:012}" for at, key in enumerate(keys)))
    for name in ("other.yaml", "with space.yaml"):
        write(name, "  elsewhere" + account % "111122223333" + "  other" + account % "$(touch touched)")
    write("broken.yaml", "  prod: [\n")
    (folder / "bin").mkdir()
    (folder / "bin" / "logmap").symlink_to(Path(logmap).resolve())
    (folder / "logmap").write_text("#!/bin/sh\ntouch touched\n")
    (folder / "logmap").chmod(0o755)
    script = folder / "script"
    script.write_text(run(logmap, "completions", shell))
    env = clean_env() | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "dumb"}

    def offered(words):
        told = [folder / "told"] if shell == "zsh" else []
        (folder / "told").unlink(missing_ok=True)
        after = [] if shell == "fish" else [shell]
        before = ["-f"] if shell == "zsh" else ["--no-config"] if shell == "fish" else []
        done = subprocess.run([program, *before, "-c", probe, *after, script, *told, *words], env=env, cwd=folder, capture_output=True, text=True, timeout=60)
        expect(done.returncode == 0 and not done.stderr, f"{words}: {done.returncode} {done.stderr}")
        return set(done.stdout.splitlines()) - {""}

    for words, wanted in ACCOUNTS:
        # where a map offers nothing a shell may offer files
        found = offered(words)
        expect(found == wanted, f"{words}: {found}")
    regions, rules = offered(["logmap", "generate", "--region", "eu-w"]), offered(["logmap", "explain", "LM01"])
    expect("eu-west-1" in regions and "LM0101" in rules, f"{regions} {rules}")
    expect(not (folder / "touched").exists(), "a shell ran what a map or a line says")
    # the look at the folder sees something
    subprocess.run([folder / "logmap"], cwd=folder, check=True)
    expect((folder / "touched").exists(), "nothing would be seen")


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
