"""Names of the measured numbers that claims compare."""

from __future__ import annotations

from sample_models.recipes.auditing import CLOSE
from sample_models.recipes.zoo import L2, LINF, MNIST_L2

BALL, MNIST_BALL = f"l2_{L2:g}", f"l2_{MNIST_L2:g}"

ROBUST, ROBUST_LINF, ROBUST_MNIST = f"robust_{BALL}", f"robust_linf_{LINF:g}", f"robust_{MNIST_BALL}"
CERTIFIED = f"certified_l2_{CLOSE:g}"
GAP_ACCURACY, GAP_LOSS = f"gap_robust_accuracy_{BALL}", f"gap_robust_loss_{BALL}"
GAP_ACCURACY_MNIST, GAP_LOSS_MNIST = f"gap_robust_accuracy_{MNIST_BALL}", f"gap_robust_loss_{MNIST_BALL}"

ATTACK = f"alignment cross-entropy attack {L2:g}"
DEVIATION, RANDOM_DEVIATION = f"deviation cross-entropy attack {L2:g}", f"deviation random {L2:g}"
NEAR_GAIN = f"gain logit attack {L2 / 20:g}"
NEAR_COSINE, FAR_COSINE = f"median_first logit attack {L2 / 20:g}", f"median_first logit attack {L2:g}"
