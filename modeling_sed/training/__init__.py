"""The parts of train_sed.py: its options, data, checkpoints, evaluation and report."""
