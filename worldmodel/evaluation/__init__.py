"""Evaluation of the world model against truth it has not seen."""
