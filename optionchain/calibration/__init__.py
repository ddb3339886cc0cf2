"""Calibration: from a chain, simulated or of history, to the parameters of a smile or of a model that give it."""

from optionchain.calibration.fit import FAMILIES, Family, Fit, fit
from optionchain.calibration.points import Points, points_of
from optionchain.calibration.svi_slices import SviSlice

__all__ = ["FAMILIES", "Family", "Fit", "Points", "SviSlice", "fit", "points_of"]
