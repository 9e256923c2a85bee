"""Lines, regions and their geometry."""
