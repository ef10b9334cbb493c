"""Messages of az and other clients that mean several faults, or none.

A message that means one fault is in that fault's definition.
"""
