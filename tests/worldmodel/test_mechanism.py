"""The prior of effects from mechanism, and what data make of it when it is wrong."""

import pytest
import torch

from worldmodel.mechanism import KnownEffect, N, learn_channels, profile_by_mechanism
from worldmodel.pharmacology import EFFECTS

JT, TT = EFFECTS.index("jtpeakc_ms"), EFFECTS.index("tpeak_tend_ms")
TRUE = torch.tensor([0.0, 0.0, 0.0, 39.0, 40.0, -0.2], dtype=torch.float64)
SURE = torch.full((N,), 2.0, dtype=torch.float64)
DOFETILIDE = KnownEffect({"ikr_block": 1.0}, TRUE, SURE)


def test_without_data_a_drug_does_what_the_rules_say_with_a_wide_margin() -> None:
    mean, sd = learn_channels([]).expect({"ikr_block": 1.0})
    assert mean[[JT, TT]].tolist() == pytest.approx([38.0, 38.0])
    assert float(sd[JT]) > 10.0


@pytest.mark.parametrize("factor", [0.5, 2.0, -1.0])
def test_a_trial_pulls_a_wrong_prior_back(factor: float) -> None:
    mean, sd = learn_channels([], rules_factor=factor).learn_drug(DOFETILIDE)
    assert (mean[[JT, TT]] - TRUE[[JT, TT]]).abs().max() < 3.0
    assert float(sd[JT]) < 2.1


def test_a_drug_that_was_left_out_is_known_by_the_others_of_its_channel() -> None:
    others = [KnownEffect({"ikr_block": share}, share * TRUE, SURE) for share in (0.3, 0.5, 0.7)]
    mean, sd = learn_channels(others, rules_factor=0.5).expect({"ikr_block": 1.0})
    untaught, wider = learn_channels([], rules_factor=0.5).expect({"ikr_block": 1.0})
    assert float((mean - TRUE)[JT].abs()) < 0.6 * float((untaught - TRUE)[JT].abs())
    assert float(sd[JT]) < float(wider[JT])


def test_what_no_rule_knows_has_no_mean_effect_but_a_width() -> None:
    mean, sd = learn_channels([]).expect({"unheard_of": 1.0})
    assert mean.tolist() == [0.0] * N
    assert float(sd[JT]) > 5.0


def test_a_profile_by_mechanism_is_wider_than_its_doubt_as_people_differ_too() -> None:
    profile = profile_by_mechanism({"ikr_block": 1.0}, [DOFETILIDE])
    mean, doubt = learn_channels([DOFETILIDE]).expect({"ikr_block": 1.0})
    assert profile.mean["jtpeakc_ms"] == pytest.approx(float(mean[JT]))
    assert profile.doubt["jtpeakc_ms"] == pytest.approx(float(doubt[JT]))
    assert profile.sd["jtpeakc_ms"] > 1.1 * profile.doubt["jtpeakc_ms"]
