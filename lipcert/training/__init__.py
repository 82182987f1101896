"""Means to act on a report: penalties, examples and caps for anyone's training loop, on any nn.Module.

A penalty is called on the network and a batch and gives a scalar to add to the loss, times a weight. An adversary is
called likewise and gives perturbed inputs to train on. `cap` is called once before training and `finish` after it.
"""

from lipcert.training.absolute import Absolute
from lipcert.training.adversary import ADVERSARIES, AbstractAdversary
from lipcert.training.base import PENALTIES, AbstractPenalty
from lipcert.training.cross_lipschitz import CrossLipschitz
from lipcert.training.curvature import Curvature
from lipcert.training.data_dependent import DataDependent, singular_directions
from lipcert.training.fgm import FgmExamples
from lipcert.training.global_spectral import GlobalSpectral
from lipcert.training.input_gradient import InputGradient
from lipcert.training.interval import IntervalLoss
from lipcert.training.jacobian_frobenius import JacobianFrobenius
from lipcert.training.jacobian_l1 import JacobianL1
from lipcert.training.lipschitz_margin import LipschitzMargin
from lipcert.training.pairwise import Pairwise
from lipcert.training.pgm import PgmExamples
from lipcert.training.shrinking import shrink
from lipcert.training.spectral_cap import CappedLayer, SpectralCap, cap, finish
from lipcert.training.wrm import WrmExamples

__all__ = [
    "ADVERSARIES",
    "PENALTIES",
    "Absolute",
    "AbstractAdversary",
    "AbstractPenalty",
    "CappedLayer",
    "CrossLipschitz",
    "Curvature",
    "DataDependent",
    "FgmExamples",
    "GlobalSpectral",
    "InputGradient",
    "IntervalLoss",
    "JacobianFrobenius",
    "JacobianL1",
    "LipschitzMargin",
    "Pairwise",
    "PgmExamples",
    "SpectralCap",
    "WrmExamples",
    "cap",
    "finish",
    "shrink",
    "singular_directions",
]
