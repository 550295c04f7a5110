"""Virtual instruments: signals, calibration and noise."""
