"""Building blocks: geometry, text, documents, networks."""
