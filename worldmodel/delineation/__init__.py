"""Measuring an ECG: from samples to beats, waves, intervals, rhythm and findings."""
