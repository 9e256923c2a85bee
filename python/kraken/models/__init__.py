"""Models: loading, writing, converting, building by name."""
