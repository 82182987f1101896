"""Files changed at random: bytes, members of archives, fields of messages, words of configurations.

`MUTATORS[format](content, chance)` gives one mutant; `chance` draws from a seeded generator, so that mutant i of a
seed is the same on every machine.
"""

from tests.load.mutation.chance import Chance
from tests.load.mutation.seeds import SEEDS, payload
from tests.load.mutation.structured import MUTATORS

__all__ = ["MUTATORS", "SEEDS", "Chance", "mutants", "payload"]


def mutants(kind, count, seed, mark):
    """`count` mutants of a format as (number, bytes); `mark` is the file that a payload would leave behind."""
    whole = SEEDS[kind]()
    for number in range(count):
        chance, mutant = Chance(seed * 1_000_003 + number), whole
        while mutant == whole:
            mutant = MUTATORS[kind](whole, chance, payload(mark))
        yield number, mutant
