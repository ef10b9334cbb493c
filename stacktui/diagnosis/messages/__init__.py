"""Messages of az and other clients that mean several faults, or none; the others stand in their
fault's definition."""
