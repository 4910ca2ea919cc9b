"""The virtual trial: patients, waveforms and drug responses with known truth."""

from worldmodel.virtual.demo import demo_ecg

__all__ = ["demo_ecg"]
