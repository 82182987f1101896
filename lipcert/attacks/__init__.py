"""Searches for bad points in a ball, and the engine that re-checks what they find."""

from lipcert.attacks.apgd import Apgd
from lipcert.attacks.base import ATTACKS, AbstractAttack, Ball, Classifier, Noise
from lipcert.attacks.cascade import Plan, Stage, plan
from lipcert.attacks.ddn import Ddn
from lipcert.attacks.engine import Outcome, Scorer, Target, run_attack, score_clean, worst_of
from lipcert.attacks.fab import Fab
from lipcert.attacks.fgm import Fgm
from lipcert.attacks.fmn import Fmn
from lipcert.attacks.hunt import Field, Hunt
from lipcert.attacks.nearby import Nearby, find_nearby
from lipcert.attacks.pgd import Pgd
from lipcert.attacks.random_noise import RandomNoise
from lipcert.attacks.square import Square
from lipcert.attacks.wrm import Wrm

__all__ = [
    "ATTACKS",
    "AbstractAttack",
    "Apgd",
    "Ball",
    "Classifier",
    "Ddn",
    "Fab",
    "Fgm",
    "Field",
    "Fmn",
    "Hunt",
    "Nearby",
    "Noise",
    "Outcome",
    "Pgd",
    "Plan",
    "RandomNoise",
    "Scorer",
    "Square",
    "Stage",
    "Target",
    "Wrm",
    "find_nearby",
    "plan",
    "run_attack",
    "score_clean",
    "worst_of",
]
