"""The one intermediate representation: a functional ATen graph with a free batch dimension."""

from lipcert.graph.batch import batch_of
from lipcert.graph.constants import settle_constants
from lipcert.graph.graph import PREPROCESS, PREPROCESS_CONSTANTS, Graph, Head
from lipcert.graph.node import Node

__all__ = ["PREPROCESS", "PREPROCESS_CONSTANTS", "Graph", "Head", "Node", "batch_of", "settle_constants"]
