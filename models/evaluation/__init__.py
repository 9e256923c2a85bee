"""Scores on the annotated documents that no model was trained on."""
