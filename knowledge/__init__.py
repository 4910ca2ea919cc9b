"""Drugs, rules and the Clinical Action Space Mask."""
