"""What the mean squared error sees: drug effects beside what changes between any two recordings."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from worldmodel.grid import sample_r_times
from worldmodel.pharmacology import EFFECTS
from worldmodel.preprocessing import FS_HZ, SAMPLES
from worldmodel.vae import Vae
from worldmodel.virtual.patients import Patients, sample_patients
from worldmodel.virtual.trial import record

R_SHIFT_S = 0.020


@dataclass(frozen=True)
class Sight:
    """Mean squared error between two recordings of a patient: signal in shares of its variance, latent per element."""

    difference: str
    is_effect: bool
    signal_mse: float
    latent_mse: float


@torch.inference_mode()
def see_differences(vae: Vae, patients: int, seed: int) -> list[Sight]:
    """Pairs of recordings that differ by one thing: an effect, the noise, the rhythm's variability, a shift of R."""
    generator = torch.Generator().manual_seed(seed)
    people = sample_patients(patients, generator)
    people = replace(
        people, rhythm=replace(people.rhythm, irregular=torch.zeros_like(people.rhythm.irregular))
    )
    duration_s = SAMPLES / FS_HZ
    beats, others = (sample_r_times(people.rhythm, duration_s, generator) for _ in range(2))
    base = _recorded(people, {}, beats, seed)
    seen = {
        "J-Tpeakc +10 ms": (True, _recorded(people, {"jtpeakc_ms": 10.0}, beats, seed)),
        "Tpeak-Tend +10 ms": (True, _recorded(people, {"tpeak_tend_ms": 10.0}, beats, seed)),
        "PR +10 ms": (True, _recorded(people, {"pr_ms": 10.0}, beats, seed)),
        "QRS +10 ms": (True, _recorded(people, {"qrs_ms": 10.0}, beats, seed)),
        "another noise": (False, _recorded(people, {}, beats, seed + 1)),
        "R 20 ms later": (False, _recorded(people, {}, beats + R_SHIFT_S, seed)),
        "another rhythm, same rate": (False, _recorded(people, {}, others, seed)),
    }
    z = vae.encode(base)
    return [
        Sight(
            name,
            is_effect,
            float((other - base).pow(2).mean() / base.var()),
            float((vae.encode(other) - z).pow(2).mean()),
        )
        for name, (is_effect, other) in seen.items()
    ]


def _recorded(people: Patients, effect: dict[str, float], r_times_s: Tensor, noise_seed: int) -> Tensor:
    response = torch.tensor([effect.get(name, 0.0) for name in EFFECTS]).repeat(len(r_times_s), 1)
    return record(people, response, r_times_s, torch.Generator().manual_seed(noise_seed))
