"""What is believed of a drug with a mistaken prior, and of a drug without a trial."""

import pytest

from worldmodel.evaluation.beliefs import left_out_profiles, mistaken_profiles, wrong_signs
from worldmodel.pharmacology import EFFECTS, DrugExposure, EffectProfile


def drug(name: str, share: float, jtpeakc_ms: float) -> DrugExposure:
    effects = EffectProfile({"jtpeakc_ms": jtpeakc_ms}, {"jtpeakc_ms": 6.0}, power=1.3)
    return DrugExposure(name, 1.0, 2.0, 8.0, effects, mechanism={"ikr_block": share})


DRUGS = {f"drug {i}": drug(f"drug {i}", share, 38.0 * share) for i, share in enumerate((0.3, 0.6, 0.9, 1.0))}


@pytest.mark.parametrize("factor", [0.5, 2.0, -1.0])
def test_trials_outweigh_a_mistaken_prior(factor: float) -> None:
    for name, profile in mistaken_profiles(DRUGS, factor, seed=0).items():
        assert abs(profile.mean["jtpeakc_ms"] - DRUGS[name].effects.mean["jtpeakc_ms"]) < 6.0
        assert profile.sd["jtpeakc_ms"] > 6.0 and profile.power == 1.3


def test_a_drug_without_a_trial_is_known_by_its_mechanism_whatever_it_does_itself() -> None:
    """Nothing of the left-out drug's own effects may reach what is believed of it."""
    odd = {**DRUGS, "drug 3": drug("drug 3", 1.0, -200.0)}
    (of_odd,) = left_out_profiles(odd, ["drug 3"], seed=0).values()
    (usual,) = left_out_profiles(DRUGS, ["drug 3"], seed=0).values()
    assert of_odd.mean == usual.mean
    assert 20.0 < usual.mean["jtpeakc_ms"] < 56.0


def test_a_sign_is_wrong_only_where_there_is_an_effect() -> None:
    believed = {"drug 0": EffectProfile(dict.fromkeys(EFFECTS, -1.0))}
    assert wrong_signs(believed, DRUGS, least=5.0) == ["drug 0 jtpeakc_ms"]
    assert wrong_signs(believed, DRUGS, least=20.0) == []
