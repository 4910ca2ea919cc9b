"""The cardiac ODE in closed form.

McSharry et al. 2003 (doi:10.1109/TBME.2003.808805) as used by the paper (eq. 2, 19):

    dy/dtheta = -sum_i alpha_i dtheta_i exp(-dtheta_i^2 / (2 b_i^2)) - (y - y0)

It is linear in y, so each wave of each beat contributes on its own, in unwrapped phase, and no stepping is
needed: the tests integrate the same equation step by step, with dtheta wrapped to (-pi, pi], and compare.
alpha_i is written as amplitude_i / b_i^2, which makes the amplitude the height in mV that the wave would reach
without the relaxation -y.
"""

import math

import torch
from torch import Tensor


def wave_response(dtheta: Tensor, b: Tensor) -> Tensor:
    """Solution y(dtheta) of the ODE for one wave of amplitude 1 that has passed at dtheta = 0, at rest before.

    dtheta: unwrapped phase since the wave's centre, rad; b: width, rad (broadcast together).
    The first term is the Gaussian that the forcing integrates to, the second what the relaxation takes away:

        y = exp(-d^2/2b^2) - b sqrt(pi/2) exp(b^2/2 - d) (1 + erf((d - b^2) / (b sqrt 2)))
    """
    u = (dtheta - b**2) / (b * math.sqrt(2.0))
    gauss = torch.exp(-0.5 * (dtheta / b) ** 2)
    # exp(b^2/2 - d) overflows left of the wave, where 1 + erf vanishes; there erfc(-u) = exp(-u^2) erfcx(-u).
    left = gauss * torch.special.erfcx(-u.clamp(max=0.0))
    right = torch.exp(0.5 * b**2 - dtheta.clamp(min=-20.0)) * torch.erfc(-u.clamp(min=0.0))
    return gauss - b * math.sqrt(math.pi / 2) * torch.where(u < 0, left, right)
