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
    planned: tuple      # those of them that Terraform's core plans
    kills: int          # of the calls of the file writer, one in this many
    double_kills: int
    mutants: int        # of the mutants of what is rendered, one in this many

    def says(self):
        """One line: what is sampled."""
        if self.name == EXHAUSTIVE.name:
            return f"tier: {self.name}: every attack, {len(self.seeds)} seeds, every kill, every mutant"
        return (f"tier: {self.name}: attacks 1/{self.attacks} of calls and faults, {'+'.join(map(str, self.map_attacks))} of "
                f"{'+'.join(map(str, EXHAUSTIVE.map_attacks))} on {len(self.attacked)} other maps, {'+'.join(map(str, self.watching))} of "
                f"{'+'.join(map(str, EXHAUSTIVE.watching))} on what is watched, {self.adopted} of {EXHAUSTIVE.adopted} on an adoption, {self.map_faults} of {EXHAUSTIVE.map_faults} refusals, {len(self.seeds)} of {len(EXHAUSTIVE.seeds)} seeds, "
                f"{len(self.planned)} of {len(EXHAUSTIVE.planned)} planned, kills 1/{self.kills} and {self.double_kills} of "
                f"{EXHAUSTIVE.double_kills} double ones, mutants 1/{self.mutants}; tests/run --exhaustive runs all")


EXHAUSTIVE = Tier("exhaustive", attacks=1, map_faults=2, map_attacks=(6, 3), attacked=(), watching=(16, 8), adopted=6, seeds=range(1, 101), planned=tuple(range(1, 13)), kills=1, double_kills=40, mutants=1)
# between them the attacked maps have credentials of every kind, trails of every scope, adoption, publishing and monitoring
PULL_REQUEST = Tier("pull request", attacks=8, map_faults=1, map_attacks=(1, 1),
                    attacked=("examples/monitoring", "examples/move", "examples/organization"), watching=(5, 3), adopted=3, seeds=range(1, 21), planned=(1, 4, 7, 10), kills=4, double_kills=12, mutants=4)


def of(exhaustive):
    return EXHAUSTIVE if exhaustive else PULL_REQUEST
