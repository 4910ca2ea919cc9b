"""Virtual patients and actions shared by the tests of the world model."""

import torch

from worldmodel.pharmacology import Action, DrugExposure, EffectProfile
from worldmodel.virtual.trial import Transitions, sample_transitions

HERG_BLOCKER = DrugExposure(
    "hERG blocker",
    1.0,
    2.5,
    10.0,
    EffectProfile({"jtpeakc_ms": 39.0, "tpeak_tend_ms": 40.0}),
    exposure_cv=0.1,
)
AV_BLOCKER = DrugExposure(
    "AV-nodal blocker",
    1.0,
    1.0,
    6.0,
    EffectProfile({"pr_ms": 32.0, "hr_bpm": 9.0}, hr_bpm_af=-25.0),
    exposure_cv=0.1,
)
NO_DRUG = Action()
PROLONG_QT = Action((HERG_BLOCKER,), hours=2.5)
PROLONG_PR = Action((AV_BLOCKER,), hours=1.0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def transitions(batch: int = 6, seed: int = 0) -> Transitions:
    return sample_transitions(batch, [NO_DRUG, PROLONG_QT, PROLONG_PR], generator(seed))
