"""The ``ketos`` command: training, testing and data sets (spec chapter cli-ketos)."""
