"""Fits: the free values of a model from measurements and published numbers.

`calibration.yaml` says what is free and what is compared with what; `fit` finds the values, and
`write_table` keeps them with the error of every series.
"""

from myelode.fitting.search import Fit, fit
from myelode.fitting.table import write_table

__all__ = ["Fit", "fit", "write_table"]
