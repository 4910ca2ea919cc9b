"""The virtual trial: patients, waveforms and drug responses with known truth."""
