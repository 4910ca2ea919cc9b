"""Several drugs at once, through the channels that they share.

Effects add up, but for three corrections, each between different drugs (what one drug does to several channels is in
its own profile):

* Two blockers of IKr share the channel: of fractional blocks b1, b2 remains 1 - (1 - b1)(1 - b2), so they prolong less
  than the sum (Bliss independence; that half of the channels are blocked at reference exposure is from memory).
* Block of the late sodium current takes away of the J-Tpeak part of what IKr block adds: mexiletine and lidocaine cut
  dofetilide's QTc by some 20 ms, all of it in J-Tpeakc, which was 26 ms without them (Johannesen 2016,
  doi:10.1002/cpt.205). The cut holds what the blocker shortens alone, some 8 ms; the rest is half of the 26.
* Block of the calcium current moves part of it from J-Tpeak to Tpeak-Tend: diltiazem shortened dofetilide's J-Tpeakc,
  not its QTc (Vicente 2019, doi:10.1002/cpt.1303; the share is from memory, needs a clinician).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from worldmodel.pharmacology import EFFECTS, DrugExposure

BLOCK_AT_REFERENCE = 0.5  # of IKr, by a drug whose mechanism says 1
LATE_SODIUM_RELIEF = 0.8  # of the J-Tpeak part, by full block of the late sodium current
MOST_RELIEF = 0.5  # as in that trial, with 0.6 of the block; what more block would do, it does not say
CALCIUM_SHIFT = 0.3  # of the J-Tpeak part, by full block of the calcium current
_JT, _TT = EFFECTS.index("jtpeakc_ms"), EFFECTS.index("tpeak_tend_ms")


def combine(drugs: Sequence[DrugExposure], at_site: Tensor, alone: Tensor) -> Tensor:
    """Joint effect (k, n, 6) of drugs whose effects alone are (drug, k, n, 6), at effect-site levels (drug, k, n)."""
    total = alone.sum(dim=0)
    if len(drugs) < 2:
        return total

    def block(channel: str) -> Tensor:
        """Of a channel by each drug, (drug, k, n)."""
        share = [drug.mechanism.get(channel, 0.0) for drug in drugs]
        return at_site * torch.tensor(share, dtype=at_site.dtype)[:, None, None]

    ikr = (BLOCK_AT_REFERENCE * block("ikr_block")).clamp(max=0.95)
    summed = ikr.sum(dim=0)
    crowding = torch.where(summed > 1e-6, (1.0 - (1.0 - ikr).prod(dim=0)) / summed.clamp(min=1e-6), 1.0)
    late, calcium = block("late_ina_block"), block("ical_block")
    jt_change, tt_change = torch.zeros_like(summed), torch.zeros_like(summed)
    for i in range(len(drugs)):
        through_ikr = (ikr[i] > 0).to(alone.dtype)
        jt, tt = (alone[i, ..., effect].clamp(min=0.0) * through_ikr for effect in (_JT, _TT))
        kept = 1.0 - (LATE_SODIUM_RELIEF * (late.sum(0) - late[i])).clamp(0.0, MOST_RELIEF)
        moved = CALCIUM_SHIFT * (calcium.sum(0) - calcium[i]).clamp(0.0, 1.0)
        jt_change = jt_change + jt * (crowding * kept * (1.0 - moved) - 1.0)
        tt_change = tt_change + tt * (crowding - 1.0) + jt * crowding * kept * moved
    changed = total.clone()
    changed[..., _JT] = total[..., _JT] + jt_change
    changed[..., _TT] = total[..., _TT] + tt_change
    return changed
