"""Units of voltage as files and users write them, and the rates a recording can have; light, for the command line."""

# The SI letters; DICOM, SCP and HL7 write UCUM, where the micro sign is a u. Both signs of micro are in use.
_MV_PER = {"mv": 1.0, "uv": 1e-3, "nv": 1e-6, "v": 1e3}
_WORDS = {"volt": "v", "millivolt": "mv", "microvolt": "uv", "nanovolt": "nv"}
UNITS = ("mV", "uV", "nV", "V")
# A monitor's 50 Hz to the fastest research recorders; outside, a unit or a column was mistaken.
FS_HZ = (50.0, 20_000.0)


def mv_per(unit: str) -> float | None:
    """Millivolts in one of `unit` ("uV", "µV", "microvolts", ...); None where it is no unit of voltage."""
    bare = unit.strip().lower().replace("µ", "u").replace("μ", "u")
    return _MV_PER.get(_WORDS.get(bare.removesuffix("s"), bare))
