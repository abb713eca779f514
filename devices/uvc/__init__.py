"""USB cameras through V4L2: their controls, positions and vendor extensions."""
