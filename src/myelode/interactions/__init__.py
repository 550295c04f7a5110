"""Two agents together: indices of interaction, from doses of equal effect on the model itself."""
