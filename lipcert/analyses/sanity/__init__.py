"""Do the data, the labels and the stated preprocessing belong to this model?"""

from lipcert.analyses.sanity.diagnosis import diagnose

__all__ = ["diagnose"]
