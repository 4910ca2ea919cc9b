"""Rhythms kept as they were observed: order and kind of the beats, their mean rate, and beats that no drug changes."""

from dataclasses import replace

import pytest
import torch

from worldmodel.measurement import Finding, Measurement, Rhythm
from worldmodel.own_rhythm import OwnRhythm, carry_on, own_rhythm, put_other_beats, usual_r_times
from worldmodel.preprocessing import FS_HZ, SAMPLES

# An extrasystole with its pause, third of six.
R_S = (0.4, 1.2, 1.7, 2.8, 3.6, 4.4)
USUAL = (True, True, False, True, True, True)
OWN = OwnRhythm(torch.tensor(R_S), torch.tensor(USUAL))
SEEN = Measurement(r_peaks_s=R_S, beat_kinds=tuple(int(not usual) for usual in USUAL))
ECTOPIC = Finding("ventricular_ectopic_beats", 0.9)


@pytest.mark.parametrize(
    ("label", "findings", "kept"),
    [
        ("sinus", (), False),
        ("atrial_fibrillation", (), False),
        ("sinus", (ECTOPIC,), True),
        ("atrial_flutter", (), True),
        ("paced", (), True),
        ("other", (), True),
    ],
)
def test_what_is_drawn_anew_and_what_is_kept(label: str, findings: tuple[Finding, ...], kept: bool) -> None:
    measured = replace(SEEN, rhythm=Rhythm(label, 0.9), findings=findings)
    assert (own_rhythm(measured) is not None) == kept


def test_three_usual_beats_are_no_rhythm_to_keep() -> None:
    few = replace(SEEN, rhythm=Rhythm("paced", 0.9), beat_kinds=(0, 0, 1, 1, 1, 0))
    assert own_rhythm(few) is None


def test_unchanged_rate_gives_the_observed_beats_and_repeats_them_in_order() -> None:
    r_s, which = carry_on(OWN, torch.ones(1), 10.0)
    assert torch.allclose(r_s[0, 2:7], torch.tensor(R_S[:5]), atol=1e-5)
    assert which[2:12].tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert r_s[0, 1] < 0 < r_s[0, 2] and r_s[0, -1] > 10.0
    cycle_s = R_S[-1] - R_S[0]
    assert torch.allclose(r_s[0, 7:12] - r_s[0, 2:7], torch.full((5,), cycle_s), atol=1e-4)


def test_the_mean_rate_changes_and_the_pattern_stays() -> None:
    stretch = torch.tensor([0.8, 1.0, 1.4])
    r_s, _ = carry_on(OWN, stretch, 10.0)
    rr_s = r_s.diff(dim=1)
    assert torch.allclose(rr_s / stretch[:, None], rr_s[1].expand(3, -1), atol=1e-4)
    assert (r_s[:, -1] > 10.0).all() and torch.allclose(r_s[:, 2], torch.full((3,), R_S[0]))


def test_other_beats_are_those_of_the_recording_and_the_rest_is_rendered() -> None:
    """The recording says at each sample when it was; so what is laid anywhere tells where it was taken from."""
    recording = torch.arange(SAMPLES).expand(8, -1) / FS_HZ
    r_s, which = carry_on(OWN, torch.tensor([1.0, 1.3]), SAMPLES / FS_HZ)
    warped = torch.full((2, 8, SAMPLES), -1.0)
    mixed = put_other_beats(warped, recording, FS_HZ, OWN, r_s, which)
    for row in range(2):
        at = round(float(r_s[row, 4]) * FS_HZ)  # the extrasystole
        assert mixed[row, 3, at].item() == pytest.approx(R_S[2], abs=2 / FS_HZ)
        usual_at = (r_s[row, [2, 3, 5, 6]] * FS_HZ).round().long()
        assert torch.equal(mixed[row, :, usual_at], warped[row, :, usual_at])
    assert torch.equal(warped, torch.full_like(warped, -1.0))


def test_usual_beats_are_rendered_without_the_others_and_never_twice() -> None:
    r_s, which = carry_on(OWN, torch.ones(1), 10.0)
    usual = usual_r_times(OWN, r_s, which)
    assert (usual.diff(dim=1) > 0).all()
    seen = usual[0][usual[0] > 0]
    assert seen[:4].tolist() == pytest.approx([0.4, 1.2, 2.8, 3.6], abs=1e-4)
    assert (usual[0, :4] < -50).all()
