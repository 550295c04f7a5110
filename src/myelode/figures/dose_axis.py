"""The axis of doses: logarithmic, with dose zero apart at its left end."""

from __future__ import annotations

import numpy as np

from myelode.figures.panel import Across
from myelode.figures.styles import log_ticks


def dose_axis(doses: np.ndarray, label: str) -> Across:
    """The axis for increasing doses, of which the first may be zero."""
    positive = doses[doses > 0]
    low, high = float(positive.min()), float(positive.max())
    ticks = log_ticks(low * (1 - 1e-9), high)
    control = low / max(3.0, (high / low) ** 0.13) if doses[0] == 0 else None
    marks = (control, *ticks) if control is not None else tuple(ticks)
    edge = (high / low) ** 0.03
    return Across(label, ((control or low) / edge, high * edge), marks, True, control)
