"""The catalogue: one definition a fault, one file a family. `precedence` has them all, in order."""
