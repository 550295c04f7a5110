"""Fits: the free values of a model from measurements and published numbers.

`calibration.yaml` says what is free and what is compared with what, or a table of readings is
compared with one scenario. `fit` finds the values, `write_table` keeps them with the error of every
series, and `write_line` as a cell line.
"""

from myelode.fitting.fits import Fit, fit
from myelode.fitting.saved_lines import write_line
from myelode.fitting.table import write_table

__all__ = ["Fit", "fit", "write_line", "write_table"]
