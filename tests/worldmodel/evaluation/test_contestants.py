"""Contestants: ours as it is, and NeuroKit2 in a process that may be missing, raise, hang or die."""

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from worldmodel.evaluation import contestants
from worldmodel.evaluation.contestants import NeuroKit, PeerError, ours
from worldmodel.evaluation.marks import MarkedRecord
from worldmodel.evaluation.synthetic import synthetic_sets
from worldmodel.measurement import FIDUCIALS, Intervals, Measurement, MedianBeat

RECORDS = [synthetic_sets(2, seed=0)[0].read(index) for index in range(2)]


def test_ours_keeps_the_order_of_recordings_of_different_lengths() -> None:
    short = MarkedRecord("short", RECORDS[1].samples_mv[:, :2500], 500.0, ())
    mixed = ours([short, *RECORDS])
    for alone, together in zip((ours([one])[0] for one in (short, *RECORDS)), mixed, strict=True):
        assert alone.intervals == together.intervals
    assert mixed[1].intervals != mixed[2].intervals


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Stands in for the script in NeuroKit2's environment."""

    def write(code: str) -> None:
        script = tmp_path / "peer.py"
        script.write_text(code, encoding="utf-8")
        monkeypatch.setattr(contestants, "_PEER", script)

    return write


ANSWERS = """
import sys
import numpy as np
print("9.9", flush=True)
for line in sys.stdin:
    path = line.rstrip()
    asked = np.load(path)
    marks = {str(i): np.full((2, 12, 2), 0.25 + i) for i in range(len(asked["fs_hz"]))}
    np.savez(path, **marks, failed=np.arange(len(marks)), seconds=1.5, columns=np.array(["r_peak", "qrs_on"]))
    print(path, flush=True)
"""


def test_marks_of_the_peer_come_back_in_our_columns(peer) -> None:
    peer(ANSWERS)
    with NeuroKit(sys.executable) as neurokit:
        assert neurokit.version == "9.9"
        first, second = neurokit(RECORDS)
        neurokit(RECORDS[:1])
        assert neurokit.seconds == 3.0
    assert first.marks_s.shape == (2, 12, len(FIDUCIALS))
    assert (second.marks_s[..., FIDUCIALS.index("r_peak")] == 1.25).all()
    assert np.isnan(second.marks_s[..., FIDUCIALS.index("t_end")]).all()
    assert (first.failed_leads, second.failed_leads) == (0, 1)
    assert first.intervals["qt_ms"] is None


def test_a_python_that_is_not_there_or_lacks_neurokit2_is_an_error_with_a_way_out(peer) -> None:
    with pytest.raises(PeerError, match="cannot be run") as refused:
        NeuroKit("/no/such/python")
    assert "pip install neurokit2" in refused.value.hint
    peer("import no_such_module_as_this")
    with pytest.raises(PeerError, match="no_such_module_as_this"):
        NeuroKit(sys.executable)


def test_a_peer_that_dies_or_hangs_is_an_error_and_not_a_wait(peer, monkeypatch) -> None:
    peer("print('9.9', flush=True); input(); raise SystemExit('out of memory')")
    with NeuroKit(sys.executable) as neurokit, pytest.raises(PeerError, match="out of memory"):
        neurokit(RECORDS)
    peer("print('9.9', flush=True); input(); import time; time.sleep(60)")
    with NeuroKit(sys.executable) as neurokit:
        monkeypatch.setattr(contestants, "_PER_LEAD_S", 0.01)
        with pytest.raises(PeerError, match="too long"):
            neurokit(RECORDS)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The real script, on a NeuroKit2 that answers the same for every lead and raises on a lead of ones."""
    fake = types.ModuleType("neurokit2")

    def peaks(clean, **_):
        if (clean == 1).all():
            raise ValueError("no peaks")
        return None, {"ECG_R_Peaks": np.array([500, 1000])}

    def delineate(*_, method, **__):
        assert method == "dwt"
        names = ("P_Onsets", "P_Peaks", "P_Offsets", "R_Onsets", "R_Offsets", "T_Peaks", "T_Offsets")
        return None, {f"ECG_{name}": [10 * i, np.nan] for i, name in enumerate(names)}

    fake.ecg_clean = lambda lead, **_: lead
    fake.ecg_peaks, fake.ecg_delineate, fake.__version__ = peaks, delineate, "0"
    monkeypatch.setitem(sys.modules, "neurokit2", fake)
    place = Path(contestants.__file__).with_name("neurokit_peer.py")
    spec = importlib.util.spec_from_file_location("neurokit_peer_under_test", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_reads_every_lead_and_counts_those_that_raise(script) -> None:
    leads = np.zeros((12, 5000))
    leads[4], leads[7] = 1, np.nan
    answer = script._answer({"fs_hz": np.array([500.0]), "0": leads})
    assert answer["failed"].tolist() == [1]
    columns = answer["columns"].tolist()
    assert set(columns) == set(FIDUCIALS) - {"t_peak_2"}
    marks = answer["0"]
    assert marks.shape == (2, 12, len(columns))
    assert marks[:, 0, columns.index("r_peak")] == pytest.approx([1.0, 2.0])
    assert marks[0, 0, columns.index("t_end")] == pytest.approx(60 / 500)
    assert np.isnan(marks[1, 0, columns.index("t_end")])
    assert np.isnan(marks[:, [4, 7]]).all()


def test_our_marks_and_intervals_are_those_of_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = np.random.default_rng(0).uniform(0, 10, (3, 12, len(FIDUCIALS)))
    beat = MedianBeat(np.zeros((12, 10)), 500.0, 5, t_peak_ms=250.0)
    whole = Measurement(Intervals(qrs_ms=90.0, jtpeak_ms=200.0), median_beat=beat, beat_marks_s=marks)
    answers = iter([whole, Measurement()])
    monkeypatch.setattr(contestants, "measure_batch", lambda *_: [next(answers)])
    first, second = ours(RECORDS)
    np.testing.assert_array_equal(first.marks_s, marks)
    assert (first.intervals["tpeak_ms"], first.intervals["r_tpeak_ms"]) == (290.0, 250.0)
    assert set(second.intervals.values()) == {None} and second.marks_s.shape == (0, 12, len(FIDUCIALS))
