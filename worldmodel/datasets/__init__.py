"""Data sets of real recordings and measurements, one file each."""
