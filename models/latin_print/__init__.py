"""The default recognition model: print in Latin script."""
