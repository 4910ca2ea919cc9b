"""Leads by number: SCP-ECG and the MDC nomenclature count alike."""

# EN 1064 section 5.6.3; ISO/IEEE 11073-10101 writes the same numbers as 2:1, 2:2, ... (DICOM PS3.16 CID 3001).
LEAD_OF_NUMBER = {
    1: "I",
    2: "II",
    61: "III",
    62: "aVR",
    63: "aVL",
    64: "aVF",
    **{number: f"V{number - 2}" for number in range(3, 10)},
    **{number: f"V{number - 8}R" for number in range(11, 16)},
    16: "vx",
    17: "vy",
    18: "vz",
    66: "V8",
    67: "V9",
}
