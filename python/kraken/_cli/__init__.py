"""The ``kraken`` command: parse options, call the API, report."""
