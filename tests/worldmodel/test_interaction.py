"""Several drugs at once: what channels they share decides how their effects join."""

import pytest
import torch

from worldmodel.interaction import combine
from worldmodel.pharmacology import EFFECTS, DrugExposure, EffectProfile

JT, TT, PR = (EFFECTS.index(name) for name in ("jtpeakc_ms", "tpeak_tend_ms", "pr_ms"))


def drug(name: str, **mechanism: float) -> DrugExposure:
    return DrugExposure(name, 1.0, 1.0, 5.0, EffectProfile(), mechanism=mechanism)


def alone(jt: float = 0.0, tt: float = 0.0, pr: float = 0.0) -> torch.Tensor:
    effect = torch.zeros(1, 1, len(EFFECTS))
    effect[0, 0, JT], effect[0, 0, TT], effect[0, 0, PR] = jt, tt, pr
    return effect


def joint(*pairs: tuple[DrugExposure, torch.Tensor]) -> torch.Tensor:
    drugs, effects = zip(*pairs, strict=True)
    return combine(drugs, torch.ones(len(drugs), 1, 1), torch.stack(effects))[0, 0]


HERG = (drug("dofetilide", ikr_block=1.0), alone(39.0, 40.0))


def test_one_drug_is_left_as_it_is() -> None:
    assert torch.equal(joint(HERG), HERG[1][0, 0])


def test_a_late_sodium_blocker_takes_away_the_j_tpeak_part_only() -> None:
    """Johannesen 2016: dofetilide with mexiletine or lidocaine lengthens less, all of it in J-Tpeakc."""
    herg = (HERG[0], alone(26.0, 27.0))
    for share in (0.6, 1.2):  # twice the dose does not overshoot what was seen
        both = joint(herg, (drug("mexiletine", late_ina_block=share), alone(-8.0)))
        assert 15.0 < 26.0 - float(both[JT]) < 25.0
        assert float(both[TT]) == pytest.approx(27.0)


def test_a_calcium_blocker_moves_some_of_it_but_leaves_the_sum() -> None:
    both = joint(HERG, (drug("diltiazem", ical_block=0.9), alone(pr=15.0)))
    assert float(both[JT]) < 39.0 < float(both[TT])
    assert float(both[JT] + both[TT]) == pytest.approx(79.0)
    assert float(both[PR]) == pytest.approx(15.0)


def test_two_blockers_of_one_channel_prolong_less_than_their_sum_and_more_than_either() -> None:
    both = joint(HERG, (drug("sotalol", ikr_block=0.7), alone(25.0, 25.0)))
    assert 39.0 < float(both[JT]) < 64.0
    assert 40.0 < float(both[TT]) < 65.0


def test_drugs_of_different_channels_simply_add_up_in_any_order() -> None:
    slower, blocker = (
        (drug("metoprolol", beta_block=0.8), alone(pr=10.0)),
        (drug("x", ina_block=1.0), alone(pr=35.0)),
    )
    assert float(joint(slower, blocker)[PR]) == 45.0
    assert torch.equal(joint(slower, blocker), joint(blocker, slower))
