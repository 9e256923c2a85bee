"""Recipe of the default layout model."""
