"""XML files of four makes, written as their documentation and public readers describe them."""

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import INDEPENDENT_LEADS, LEADS

Counts = NDArray[np.int16]
FS_HZ = 500


def twelve_counts(seed: int = 0, samples: int = 1000) -> Counts:
    """(12, samples) in the standard order, about 1 mV high at 5 uV per count; limb leads keep the law to rounding."""
    rng = np.random.default_rng(seed)
    eight = np.cumsum(rng.integers(-9, 10, size=(8, samples)), axis=1).clip(-3000, 3000)
    i, ii = eight[:2]
    limb = np.stack([i, ii, ii - i, -(i + ii) // 2, i - ii // 2, ii - i // 2])
    return np.concatenate([limb, eight[2:]]).astype(np.int16)


def eight_counts(seed: int = 0, samples: int = 1000) -> Counts:
    """(8, samples): I, II, V1 to V6."""
    return twelve_counts(seed, samples)[[LEADS.index(name) for name in INDEPENDENT_LEADS]]


def text_of(counts: NDArray[np.generic], width: int = 76) -> str:
    """Little-endian 16 bits in base64, in lines."""
    return lines_of(counts.astype("<i2").tobytes(), width)


def lines_of(raw: bytes, width: int = 76) -> str:
    text = base64.b64encode(raw).decode()
    return "\n".join(text[place : place + width] for place in range(0, len(text), width))


# -- GE MUSE ----------------------------------------------------------------------------------------------------


def muse_lead(name: str, counts: Counts, units_per_bit: str = "4.88", unit: str = "MICROVOLTS") -> str:
    return f"""
      <LeadData>
         <LeadByteCountTotal>{2 * counts.size}</LeadByteCountTotal>
         <LeadTimeOffset>0</LeadTimeOffset>
         <LeadSampleCountTotal>{counts.size}</LeadSampleCountTotal>
         <LeadAmplitudeUnitsPerBit>{units_per_bit}</LeadAmplitudeUnitsPerBit>
         <LeadAmplitudeUnits>{unit}</LeadAmplitudeUnits>
         <LeadHighLimit>32767</LeadHighLimit>
         <LeadLowLimit>-32768</LeadLowLimit>
         <LeadID>{name}</LeadID>
         <LeadOffsetFirstSample>0</LeadOffsetFirstSample>
         <FirstSampleBaseline>0</FirstSampleBaseline>
         <LeadSampleSize>2</LeadSampleSize>
         <LeadOff>FALSE</LeadOff>
         <BaselineSway>FALSE</BaselineSway>
         <WaveFormData>
{text_of(counts)}
         </WaveFormData>
      </LeadData>"""


def muse_waveform(kind: str, leads: str, base: str = "500", exponent: str = "0") -> str:
    return f"""
   <Waveform>
      <WaveformType>{kind}</WaveformType>
      <WaveformStartTime>0</WaveformStartTime>
      <NumberofLeads>{leads.count("<LeadID>")}</NumberofLeads>
      <SampleType>CONTINUOUS_SAMPLES</SampleType>
      <SampleBase>{base}</SampleBase>
      <SampleExponent>{exponent}</SampleExponent>
      <HighPassFilter>5</HighPassFilter>
      <LowPassFilter>150</LowPassFilter>
      <ACFilter>50</ACFilter>{leads}
   </Waveform>"""


def muse_file(waveforms: str, encoding: str = "ISO-8859-1") -> str:
    return f"""<?xml version="1.0" encoding="{encoding}"?>
<!DOCTYPE RestingECG SYSTEM "restecg.dtd">
<RestingECG>
   <MuseInfo><MuseVersion>9.0.9.18167</MuseVersion></MuseInfo>
   <PatientDemographics><PatientID>0815</PatientID><PatientLastName>Müller</PatientLastName></PatientDemographics>
   <TestDemographics><DataType>RESTING</DataType><Site>1</Site></TestDemographics>
   <RestingECGMeasurements><VentricularRate>61</VentricularRate></RestingECGMeasurements>{waveforms}
</RestingECG>
"""


def muse(counts: Counts, names: Sequence[str] = INDEPENDENT_LEADS, **encoding: str) -> str:
    """A median beat of each lead (its first tenth, as told) before the rhythm."""

    def leads(rows: Counts) -> str:
        return "".join(muse_lead(name, row) for name, row in zip(names, rows, strict=True))

    median = muse_waveform("Median", leads(counts[:, : max(1, counts.shape[1] // 10)]))
    return muse_file(median + muse_waveform("Rhythm", leads(counts)), **encoding)


# -- HL7 aECG ---------------------------------------------------------------------------------------------------


def aecg_lead(
    code: str,
    digits: NDArray[np.generic],
    scale: str = 'value="5" unit="uV"',
    origin: str = 'value="0" unit="uV"',
    kind: str = "SLIST_PQ",
) -> str:
    words = [str(digit) for digit in digits.tolist()]
    text = "\n".join(" ".join(words[place : place + 20]) for place in range(0, len(words), 20))
    return f"""
              <component>
                <sequence>
                  <code code="{code}" codeSystem="2.16.840.1.113883.6.24" codeSystemName="MDC"/>
                  <value xsi:type="{kind}">
                    <origin {origin}/>
                    <scale {scale}/>
                    <digits>{text}</digits>
                  </value>
                </sequence>
              </component>"""


def aecg_set(leads: str, increment: str = 'value="0.002" unit="s"', time: str = "TIME_ABSOLUTE") -> str:
    kind, head = (
        ("GLIST_TS", 'value="20240301101530.000"') if time == "TIME_ABSOLUTE" else ("GLIST_PQ", 'value="0"')
    )
    return f"""
          <component>
            <sequenceSet>
              <component>
                <sequence>
                  <code code="{time}" codeSystem="2.16.840.1.113883.5.4" codeSystemName="ActCode"/>
                  <value xsi:type="{kind}">
                    <head {head}/>
                    <increment {increment}/>
                  </value>
                </sequence>
              </component>{leads}
            </sequenceSet>
          </component>"""


def aecg_series(sets: str, kind: str = "RHYTHM", within: str = "") -> str:
    return f"""
      <component>
        <series>
          <id root="2.16.840.1.113883.3.4"/>
          <code code="{kind}" codeSystem="2.16.840.1.113883.5.4"/>
          <effectiveTime><low value="20240301101530.000"/><high value="20240301101540.000"/></effectiveTime>{sets}
          {within}
        </series>
      </component>"""


def aecg_file(series: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- an annotated ECG -->
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:voc="urn:hl7-org:v3/voc"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:hl7-org:v3 PORT_MT020001.xsd">
      <id root="61d1a24f-b47e-41aa-ae95-f8ac302f4eeb"/>
      <code code="93000" codeSystem="2.16.840.1.113883.6.12"/>{series}
</AnnotatedECG>
"""


def aecg_leads(counts: NDArray[np.generic], names: Sequence[str] = LEADS, **quantities: str) -> str:
    rows = zip(names, counts, strict=True)
    return "".join(aecg_lead(f"MDC_ECG_LEAD_{name.upper()}", row, **quantities) for name, row in rows)


def aecg(counts: NDArray[np.generic], names: Sequence[str] = LEADS, **quantities: str) -> str:
    """A rhythm, with the representative beat that was derived from it inside."""
    beat = aecg_set(aecg_leads(counts[:, : max(1, counts.shape[1] // 10)], names), time="TIME_RELATIVE")
    derived = (
        f"<derivation><derivedSeries><code code='REPRESENTATIVE_BEAT'/>{beat}</derivedSeries></derivation>"
    )
    return aecg_file(aecg_series(aecg_set(aecg_leads(counts, names, **quantities)), within=derived))


# -- Philips ----------------------------------------------------------------------------------------------------


def lzw(raw: bytes) -> bytes:
    """Codes of 10 bits, highest bit first; the table stops at 1022 and 1023 ends the stream."""
    table = {bytes([value]): value for value in range(256)}
    codes, known = [], b""
    for place in range(len(raw)):
        longer = known + raw[place : place + 1]
        if longer in table:
            known = longer
            continue
        codes.append(table[known])
        if len(table) < 1023:
            table[longer] = len(table)
        known = raw[place : place + 1]
    codes += [table[known], 1023]
    bits = "".join(f"{code:010b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def xli(counts: Counts) -> bytes:
    """Every lead a chunk: its first two samples, then how much it bends at each sample but the last."""
    chunks = b""
    for row in counts.astype(np.int64):
        bends = 2 * row[1:-1] - row[:-2] - row[2:]
        words = np.concatenate([row[:2], bends[1:] + 64, [64]]).astype(np.int16).view(np.uint16)
        body = lzw((words >> 8).astype(np.uint8).tobytes() + (words & 255).astype(np.uint8).tobytes())
        first = int(bends[:1].astype(np.int16)[0])
        chunks += len(body).to_bytes(4, "little") + b"\1\0" + first.to_bytes(2, "little", signed=True) + body
    return chunks


def less_predicted(counts: Counts) -> Counts:
    """The twelve leads as XLI stores them: III to aVF as what I and II predict, halves towards zero, less the lead."""
    i, ii, iii, avr, avl, avf = counts[:6].astype(np.int64)

    def half(values: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.sign(values) * (np.abs(values) // 2)

    rest = [ii - i - iii, -half(i + ii) - avr, half(i - iii) - avl, half(ii + iii) - avf]
    return np.concatenate([counts[:2], np.stack(rest).astype(np.int16), counts[6:]])


def philips(
    counts: Counts,
    version: str = "1.04",
    waves: str | None = None,
    how: str = 'dataencoding="Base64" compression="XLI"',
    names: Sequence[str] = LEADS,
    fs_hz: int = FS_HZ,
) -> str:
    """Version 1.04 states rate, resolution and labels of the waveforms; 1.03 those of the acquisition only."""
    if waves is None:
        waves = lines_of(xli(less_predicted(counts) if tuple(names[:6]) == LEADS[:6] else counts))
    milliseconds = f"{1000 * counts.shape[1] / fs_hz:g}"
    of_waves = f"""{how} durationperchannel="{milliseconds}" """ + (
        f"""numberofleads="{len(names)}" leadlabels="{" ".join(names)} -- --" samplespersecond="{fs_hz}"
        resolution="5" signaloffset="0" signalsigned="True" bitspersample="16" """
        if version != "1.03"
        else 'nbitspersample="16" '
    )
    resolution = "signalresolution" if version == "1.03" else "resolution"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<restingecgdata xmlns="http://www3.medical.philips.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <documentinfo>
    <documentname>ecg.xml</documentname>
    <documenttype>{"SierraECG" if version == "1.03" else "PhilipsECG"}</documenttype>
    <documentversion>{version}</documentversion>
  </documentinfo>
  <dataacquisition date="2024-03-01" time="10:15:30" statflag="False">
    <machine machineid="0001" detaildescription="">PageWriter</machine>
    <signalcharacteristics>
      <samplingrate>{fs_hz}</samplingrate>
      <{resolution}>5</{resolution}>
      <acquisitiontype>STD-12</acquisitiontype>
      <bitspersample>16</bitspersample>
      <signaloffset>0</signaloffset>
      <signalsigned>True</signalsigned>
      <numberchannelsallocated>12</numberchannelsallocated>
      <numberchannelsvalid>12</numberchannelsvalid>
    </signalcharacteristics>
  </dataacquisition>
  <waveforms>
    <parsedwaveforms {of_waves}>{waves}</parsedwaveforms>
    <repbeats dataencoding="Base64" samplespersec="1000" resolution="5">
      <repbeat leadname="I"><waveform duration="10">{text_of(counts[0, :10])}</waveform></repbeat>
    </repbeats>
  </waveforms>
</restingecgdata>
"""


# -- Mortara ----------------------------------------------------------------------------------------------------


def mortara_channel(name: str, counts: Counts, per_mv: str = "400", fs_hz: str = "500") -> str:
    return (
        f'  <CHANNEL OFFSET="0" BITS="16" FORMAT="SIGNED" UNITS_PER_MV="{per_mv}" DURATION="{counts.size}" '
        f'SAMPLE_FREQ="{fs_hz}" NAME="{name}" ENCODING="BASE64" DATA="{text_of(counts, 10**9)}" />\n'
    )


def mortara(counts: Counts, names: Sequence[str] = LEADS, channels: str | None = None) -> str:
    if channels is None:
        channels = "".join(mortara_channel(name, row) for name, row in zip(names, counts, strict=True))
    beat = text_of(counts[0, :20], 10**9)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Generated by ELI Link -->
<ECG ACQUISITION_TIME="20240301101530" ACQUISITION_TIME_XML="2024-03-01T10:15:30" VENT_RATE="61" NUM_QRS="10">
  <SUBJECT LAST_NAME="Mueller" ID="0815" GENDER="FEMALE" />
  <SOURCE TYPE="RESTING" MANUFACTURER="Mortara Instrument, Inc." MODEL="ELI250c" />
  <TYPICAL_CYCLE BITS="16" FORMAT="SIGNED" UNITS_PER_MV="400" DURATION="20" SAMPLE_FREQ="500" ENCODING="BASE64">
    <TYPICAL_CYCLE_CHANNEL NAME="I" DATA="{beat}" />
  </TYPICAL_CYCLE>
{channels}</ECG>
"""
