"""The VAE: eight leads of ten seconds <-> a latent of 125 steps of 80 ms with 64 channels each.

Sixty-four, because intervals must survive: on virtual and on real recordings alike the best linear code
of an 80-ms patch leaves about 30 uV with 32 channels and 10 uV with 64.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn

PATCH = 20  # samples of 4 ms per latent step
LATENT_CHANNELS = 64
LATENT_STEPS = 125
LEADS_IN = 8


class ResidualBlock(nn.Module):
    """x + conv(act(conv(act(x)))), (batch, channels, time), with a norm over the channels of each step."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv1d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv1d(channels, channels, 3, padding=1, bias=False)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(nn.functional.silu(self.norm(x)))
        out: Tensor = x + self.conv2(nn.functional.silu(h))
        return out


class Autoencoder(nn.Module, ABC):
    """z = f_enc(x) and back (paper, sec. 4), for networks that define `moments` and `decode_raw`.

    The latent is normalised per channel with the mean and SD of a training set (`fit_scale`), so that the diffusion
    sees unit variance.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.latent_mean: Tensor
        self.latent_sd: Tensor
        self.register_buffer("latent_mean", torch.zeros(channels))
        self.register_buffer("latent_sd", torch.ones(channels))

    @abstractmethod
    def moments(self, x_mv: Tensor) -> Tensor:
        """Mean and log-variance of q(z|x) one after the other, (batch, 2 channels, steps)."""

    @abstractmethod
    def decode_raw(self, z: Tensor) -> Tensor:
        """ECG in mV from a latent before normalisation."""

    def posterior(self, x_mv: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z|x), (batch, channels, steps) each, before normalisation."""
        mean, log_var = self.moments(x_mv).chunk(2, dim=1)
        return mean, log_var.clamp(-12.0, 2.0)

    def encode(self, x_mv: Tensor) -> Tensor:
        """Normalised latent mean, (batch, channels, steps)."""
        mean, _ = self.posterior(x_mv)
        return (mean - self.latent_mean[:, None]) / self.latent_sd[:, None]

    def decode(self, z: Tensor) -> Tensor:
        """ECG in mV, (batch, leads, time), from a normalised latent."""
        return self.decode_raw(z * self.latent_sd[:, None] + self.latent_mean[:, None])

    @torch.no_grad()
    def fit_scale(self, recordings_mv: Iterable[Tensor]) -> None:
        """Set mean and SD of each channel from batches of recordings, (batch, leads, time) each."""
        z = torch.cat([self.posterior(x.to(self.latent_mean.device))[0] for x in recordings_mv])
        self.latent_mean.copy_(z.mean(dim=(0, 2)))
        self.latent_sd.copy_(z.std(dim=(0, 2)).clamp(min=1e-3))


class Vae(Autoencoder):
    """The code of eight leads. Windows of two patches overlap, so no seam shows between steps.

    Its width is the number of samples in a patch, so that it can start as the principal components of patches
    (`start_from_patches`) and train from there.
    """

    def __init__(self, blocks: int = 3) -> None:
        super().__init__(LATENT_CHANNELS)
        width = LEADS_IN * PATCH
        self.patch = nn.Conv1d(LEADS_IN, width, 2 * PATCH, stride=PATCH, padding=PATCH // 2)
        self.encoder = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.to_latent = nn.Conv1d(width, 2 * LATENT_CHANNELS, 1)
        self.from_latent = nn.Conv1d(LATENT_CHANNELS, width, 1)
        self.decoder = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.unpatch = nn.ConvTranspose1d(width, LEADS_IN, 2 * PATCH, stride=PATCH, padding=PATCH // 2)

    @torch.no_grad()
    def start_from_patches(self, x_mv: Tensor) -> None:
        """Set encoder and decoder to the principal components of the patches of x_mv (batch, 8, 2500)."""
        patches = (
            x_mv.reshape(len(x_mv), LEADS_IN, LATENT_STEPS, PATCH)
            .permute(0, 2, 1, 3)
            .flatten(0, 1)
            .flatten(1)
        )
        basis = torch.linalg.eigh((patches.T @ patches).double()).eigenvectors.flip(1).T.float()
        middle = slice(PATCH // 2, PATCH // 2 + PATCH)
        for convolution in (self.patch, self.unpatch):
            convolution.weight.zero_()
            convolution.weight[:, :, middle] = basis.reshape(-1, LEADS_IN, PATCH)
        for layer in (self.patch, self.unpatch, self.from_latent, self.to_latent):
            nn.init.zeros_(layer.bias if layer.bias is not None else torch.empty(0))
        leading = torch.eye(basis.shape[0])[:, :LATENT_CHANNELS, None]
        self.from_latent.weight.copy_(leading)
        self.to_latent.weight.zero_()
        self.to_latent.weight[:LATENT_CHANNELS] = leading.transpose(0, 1)
        assert self.to_latent.bias is not None
        self.to_latent.bias[LATENT_CHANNELS:] = -10.0  # a posterior SD of 7 uV

    def moments(self, x_mv: Tensor) -> Tensor:
        out: Tensor = self.to_latent(self.encoder(self.patch(x_mv)))
        return out

    def decode_raw(self, z: Tensor) -> Tensor:
        out: Tensor = self.unpatch(self.decoder(self.from_latent(z)))
        return out


def vae_loss(
    vae: Autoencoder, x_mv: Tensor, generator: torch.Generator, kl_weight: float = 1e-5
) -> tuple[Tensor, Tensor]:
    """Reconstruction + KL, and the reconstruction MSE alone (mV^2).

    The slope is reconstructed along with the signal: intervals are read from slopes, and the plain MSE
    is content with a rounded QRS.
    """
    mean, log_var = vae.posterior(x_mv)
    z = mean + torch.exp(0.5 * log_var) * torch.randn(mean.shape, generator=generator).to(mean.device)
    error = vae.decode_raw(z) - x_mv
    mse = error.pow(2).mean()
    slope = torch.diff(error, dim=-1).pow(2).mean()
    kl = 0.5 * (mean.pow(2) + log_var.exp() - 1.0 - log_var).mean()
    return mse + 2.0 * slope + kl_weight * kl, mse.detach()
