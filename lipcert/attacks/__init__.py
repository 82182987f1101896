"""Searches for bad points in a ball, and the engine that re-checks what they find."""

from lipcert.attacks.apgd import Apgd
from lipcert.attacks.base import ATTACKS, AbstractAttack, Ball, Classifier, Noise
from lipcert.attacks.engine import Outcome, Scorer, Target, run_attack, score_clean, worst_of
from lipcert.attacks.fgm import Fgm
from lipcert.attacks.pgd import Pgd
from lipcert.attacks.random_noise import RandomNoise
from lipcert.attacks.square import Square

__all__ = [
    "ATTACKS",
    "AbstractAttack",
    "Apgd",
    "Ball",
    "Classifier",
    "Fgm",
    "Noise",
    "Outcome",
    "Pgd",
    "RandomNoise",
    "Scorer",
    "Square",
    "Target",
    "run_attack",
    "score_clean",
    "worst_of",
]
