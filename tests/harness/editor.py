"""A real editor with the language server: Neovim, headless, told what to do over its own protocol.

The map has an account id without quotes, in a line after text that is not ASCII. Neovim must show the finding, apply the
quick fix, show the hover, complete a key, go to an account and rename it.
"""
import json
import subprocess
import time
from pathlib import Path

from .language_client import PATIENCE
from .report import Failure, clean_env, expect
from .tools import find_tool

MAP = """\
# Übersicht 𝄞
version: 1
organization: { name: acme }
accounts:
  prod:
    id: 012345678901
    regions:
      us-east-1:
        buckets: [acme-prod-é𝄞, acme-prod-web]
trails:
  audit:
    accounts: [prod]
"""


class Neovim:
    def __init__(self, binary, folder, logmap):
        self.binary, self.folder, self.socket = binary, folder, folder / "nvim.sock"
        env = clean_env(HOME=str(folder), XDG_RUNTIME_DIR=str(folder))
        script = Path(__file__).with_name("neovim.lua")
        self.process = subprocess.Popen([binary, "--clean", "--headless", "-i", "NONE", "-n", "--listen", self.socket, "-S", script], cwd=folder, env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.env = env
        while not self.socket.exists():  # it is there before the script is run; nothing else tells
            expect(self.process.poll() is None, "Neovim does not start")
        self.lua("Attach", str(logmap))

    def remote(self, kind, text):
        # the answer comes on standard error in 0.7, on standard output later
        done = subprocess.run([self.binary, "--server", self.socket, kind, text], cwd=self.folder, env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120)
        expect(done.returncode == 0, f"Neovim: {text}\n{done.stdout}")
        return done.stdout

    def lua(self, function, *arguments):
        """Calls a function of neovim.lua."""
        call = f"{function}({', '.join(map(json.dumps, arguments))})".replace("'", "''")
        answer = self.remote("--remote-expr", f"json_encode(luaeval('{call}'))")
        try:
            return json.loads(answer)
        except ValueError:
            raise Failure(f"Neovim: {call}\n{answer}") from None

    def menu(self):
        """The words that the completion menu offers, once it is open."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            words = self.lua("Menu")
            if words:
                return words
        raise Failure("Neovim opens no menu")

    def type(self, keys):
        self.remote("--remote-send", keys)

    def close(self):
        self.process.kill()
        self.process.wait()


def session(nvim):
    """What a person would do; gives what the editor showed."""
    shown = {}
    found = shown["diagnostics"] = nvim.lua("Diagnostics", "LM0011", True)
    wrong = next(each for each in found if each["code"] == "LM0011")
    expect((wrong["line"], wrong["column"]) == (5, 8), f"the finding is shown at {wrong}")
    expect("put it in quotes" in wrong["message"], wrong["message"])
    shown["actions"] = nvim.lua("Fix", "012345678901")
    expect(shown["actions"][0] == "Put it in quotes", shown["actions"])
    expect(nvim.lua("Lines")[5] == '    id: "012345678901"', nvim.lua("Lines"))
    nvim.lua("Diagnostics", "LM0011", False)
    shown["hover"] = nvim.lua("Hover", "acme-prod-web")
    expect("acme-logs-012345678901-us-east-1" in shown["hover"] and "bytes used" in shown["hover"], shown["hover"])
    nvim.type("Goho<C-x><C-o>")
    shown["menu"] = nvim.menu()
    expect(shown["menu"] == ["home_region"], shown["menu"])
    nvim.type("<C-y>us<C-x><C-o>")
    regions = nvim.menu()
    expect("us-west-2" in regions and "eu-west-1" not in regions, regions)
    nvim.type("<C-e><Esc>")
    line = nvim.lua("Lines")[-1]
    expect(line.startswith("    home_region: us"), line)
    nvim.type("dd")
    line = nvim.lua("Goto", "prod]")
    expect(line == "  prod:", line)
    nvim.lua("Rename", "prod]", "live")
    lines = nvim.lua("Lines")
    expect(lines[4] == "  live:" and lines[-1] == "    accounts: [live]", "\n".join(lines))
    return shown


def check(report, logmap, folder):
    if not report.wants("editor/neovim"):
        return
    with report.check("editor/neovim"):
        binary = find_tool("nvim")
        (folder / "logmap.yaml").write_text(MAP)
        nvim = Neovim(binary, folder, logmap)
        try:
            session(nvim)
        finally:
            nvim.close()
