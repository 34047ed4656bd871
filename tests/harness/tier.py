"""How much of the tests that have thousands of cases a run does: all of them, or a fixed sample in which every kind occurs.

Both tiers are the same code; what differs are the numbers here, and nowhere else.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Tier:
    name: str
    attacks: int        # of calls × faults, one in this many
    map_faults: int     # changes refused, one after another, on each map that is not attacked at every call
    map_attacks: tuple  # ways to disturb applying and rolling back on such a map
    attacked: tuple     # the maps on which that is done; all if it is empty
    watching: tuple     # ways to disturb applying and rolling back what is published and watched
    adopted: int        # ways to disturb rolling back an adoption
    seeds: range        # generated maps
    adoptions: range    # generated worlds that a map adopts
    planned: tuple      # those of them that Terraform's core plans
    kills: int          # of the calls of the file writer, one in this many
    double_kills: int
    mutants: int        # of the mutants of what is rendered, and of those that show that the harness is not blind, one in this many
    worlds: int         # of the worlds that a script must refuse, and of what --verify must find, one in this many
    scripted: tuple     # the maps whose scripts are run; all if it is empty
    scanned: tuple      # the maps whose trees scanners see
    walked: tuple       # the pairs of maps whose runbook is walked; all if it is empty
    wheel: bool         # whether the wheel is built, which compiles the program once more
    extension: bool     # whether the extension for VS Code is packed with its program, too
    book: bool          # whether mdBook is built, and builds the documentation
    cli2: bool          # whether scripts are run with version 2 of the AWS CLI, too
    providers: tuple    # versions of Terraform's provider with which a map's changes are applied

    def says(self):
        """One line: what is sampled."""
        if self.name == EXHAUSTIVE.name:
            return f"tier: {self.name}: every attack, {len(self.seeds)} seeds, every kill, every mutant"
        whole = EXHAUSTIVE
        return "; ".join([
            f"tier: {self.name}: attacks 1/{self.attacks} of calls and faults",
            f"scripts of {len(self.scripted)} maps, {'+'.join(map(str, self.map_attacks))} of {'+'.join(map(str, whole.map_attacks))} ways to disturb "
            f"them on {len(self.attacked)}, {self.map_faults} of {whole.map_faults} refusals",
            f"{'+'.join(map(str, self.watching))} of {'+'.join(map(str, whole.watching))} on what is watched, {self.adopted} of {whole.adopted} on an adoption",
            f"worlds that are refused or drift 1/{self.worlds}",
            f"{len(self.seeds)} of {len(whole.seeds)} seeds, {len(self.planned)} of {len(whole.planned)} planned",
            f"kills 1/{self.kills} and {self.double_kills} of {whole.double_kills} double ones",
            f"mutants 1/{self.mutants}",
            f"{len(self.scanned)} of {len(whole.scanned)} maps scanned, runbooks walked: {', '.join(self.walked)}, provider {self.providers[0]}, no wheel built",
            "tests/run --exhaustive runs all",
        ])


def some(things, one_in):
    """One in so many of a list, the first among them."""
    return list(things)[::one_in]


EXHAUSTIVE = Tier("exhaustive", attacks=1, map_faults=2, map_attacks=(6, 3), attacked=(), watching=(16, 8), adopted=6, seeds=range(1, 101), adoptions=range(1, 201),
                  planned=tuple(range(1, 13)), kills=1, double_kills=40, mutants=1, worlds=1, scripted=(),
                  scanned=("examples/small", "examples/organization", "examples/gov-and-china", "maps/full"), walked=(), wheel=True, extension=True, book=True, cli2=True, providers=(6, 5))
# between them the attacked maps have credentials of every kind, trails of every scope, adoption, publishing and monitoring
PULL_REQUEST = Tier("pull request", attacks=8, map_faults=1, map_attacks=(1, 1),
                    attacked=("examples/monitoring", "examples/organization"), watching=(3, 2), adopted=3,
                    seeds=range(1, 11), adoptions=range(1, 3), planned=(1, 4, 7, 10), kills=4, double_kills=12, mutants=4, worlds=3,
                    scripted=("examples/small", "examples/monitoring", "examples/organization", "examples/gov-and-china"),
                    scanned=("examples/small",), walked=("move",), wheel=False, extension=False, book=False, cli2=False, providers=(6,))


def of(exhaustive):
    return EXHAUSTIVE if exhaustive else PULL_REQUEST
