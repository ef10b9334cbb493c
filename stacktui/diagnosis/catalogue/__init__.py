"""The catalogue: one definition per fault, one module per family, in order in `precedence`."""
