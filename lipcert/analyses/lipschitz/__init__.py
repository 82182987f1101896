"""The Lipschitz constant of the network, from both sides."""

from lipcert.analyses.lipschitz.constants import NORMS, Constants
from lipcert.analyses.lipschitz.local import analyze_local
from lipcert.analyses.lipschitz.product import gains, live_nodes, unsupported, upper_constants
from lipcert.analyses.lipschitz.record import analyze_lipschitz

__all__ = [
    "NORMS",
    "Constants",
    "analyze_lipschitz",
    "analyze_local",
    "gains",
    "live_nodes",
    "unsupported",
    "upper_constants",
]
