"""ECG-FM in plain PyTorch: the published 17-label model, without the library it was trained with.

Layout and arithmetic follow fairseq-signals (Jwoo5/fairseq-signals, ecg_transformer.py and
ecg_transformer_classifier.py), a wav2vec 2.0 of BERT-base size; modules bear the names of the checkpoint, so that its
tensors load as they are. Four convolutions halve the rate to 156 frames of 5 s, layer norm, projection to 768, a
grouped convolution adds the position, twelve post-norm transformer layers, the mean over frames, 17 logits.

It was pretrained with 90,883,072 parameters; 509,824 of them (codebook, its projections, the mask) are of no use
afterwards and not here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (its usual name)
from torch.nn.utils.parametrizations import weight_norm

from worldmodel.ecg import LEADS, Ecg, standard_twelve
from worldmodel.labels.definition import LABELS, LabelScores, label_scores, none_judged, over_windows
from worldmodel.labels.ecg_fm_input import FS_HZ, WINDOW, to_windows

NAME = "ECG-FM"
CONVOLUTIONS = 4


@dataclass(frozen=True)
class Size:
    """Of the published model; tests use a smaller one."""

    channels: int = 256
    width: int = 768
    feedforward: int = 3072
    heads: int = 12
    layers: int = 12
    position_kernel: int = 128
    position_groups: int = 16


PUBLISHED = Size()


class EcgFm(nn.Module):
    """Windows (batch, 12, WINDOW), standardised by ecg_fm_input -> (batch, 17) logits."""

    def __init__(self, size: Size = PUBLISHED) -> None:
        super().__init__()
        self.encoder = _Encoder(size)
        self.proj = nn.Linear(size.width, len(LABELS))

    def forward(self, windows: Tensor) -> Tensor:
        frames = self.encoder(windows)
        counted = (frames != 0).sum(1)  # the original leaves padded frames out by their being 0
        logits: Tensor = self.proj(frames.sum(1) / counted)
        return logits

    def probabilities(self, samples: Tensor, fs_hz: float) -> Tensor:
        """Recordings (batch, 12 leads in standard order, time) of 5 s and more -> (batch, 17); gradients flow."""
        windows = to_windows(samples, fs_hz)
        logits = self(windows.flatten(0, 1)).unflatten(0, windows.shape[:2])
        return over_windows(torch.sigmoid(logits))

    @torch.inference_mode()
    def judge(self, ecg: Ecg) -> LabelScores:
        """One recording; nothing is judged where a lead is missing or has gaps, or it is shorter than a window."""
        twelve = standard_twelve(ecg)
        samples = torch.from_numpy(twelve.samples_mv)
        gaps = [lead for lead, row in zip(LEADS, samples, strict=True) if row.isnan().any()]
        if gaps:
            return none_judged(f"ECG-FM needs all twelve leads whole; not so are {', '.join(gaps)}.", NAME)
        if twelve.duration_s * FS_HZ < WINDOW:
            return none_judged(f"ECG-FM needs 5 s; the recording has {twelve.duration_s:.1f} s.", NAME)
        probabilities = self.probabilities(samples[None].to(self.proj.weight), twelve.fs_hz)[0]
        return label_scores(probabilities.tolist(), {}, NAME)


class _Encoder(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.feature_extractor = _Features(size.channels)
        self.layer_norm = nn.LayerNorm(size.channels)
        self.post_extract_proj = nn.Linear(size.channels, size.width)
        self.conv_pos = _Position(size)
        self.encoder = _Transformer(size)

    def forward(self, windows: Tensor) -> Tensor:
        x = self.layer_norm(self.feature_extractor(windows).transpose(1, 2))
        x = self.post_extract_proj(x)
        frames: Tensor = self.encoder(x + self.conv_pos(x))
        return frames


class _Features(nn.Module):
    """Convolutions of two samples each, without overlap or bias; the first normalises each channel over time."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList()
        for layer in range(CONVOLUTIONS):
            conv = nn.Conv1d(channels if layer else len(LEADS), channels, 2, stride=2, bias=False)
            norm = () if layer else (nn.GroupNorm(channels, channels),)
            self.conv_layers.append(
                nn.Sequential(conv, nn.Identity(), *norm, nn.GELU())
            )  # dropout was second

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.conv_layers:
            x = layer(x)
        return x


class _Position(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        kernel = size.position_kernel
        conv = nn.Conv1d(size.width, size.width, kernel, padding=kernel // 2, groups=size.position_groups)
        self.pos_conv = nn.Sequential(weight_norm(conv, dim=2))

    def forward(self, x: Tensor) -> Tensor:
        around = self.pos_conv(x.transpose(1, 2))
        return F.gelu(around[..., : x.shape[1]]).transpose(1, 2)  # an even kernel gives one frame too many


class _Transformer(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(size.width)
        self.layers = nn.ModuleList(_Layer(size) for _ in range(size.layers))

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer_norm(x)
        for layer in self.layers:
            x = layer(x)
        return x


class _Layer(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.self_attn = _Attention(size)
        self.self_attn_layer_norm = nn.LayerNorm(size.width)
        self.fc1 = nn.Linear(size.width, size.feedforward)
        self.fc2 = nn.Linear(size.feedforward, size.width)
        self.final_layer_norm = nn.LayerNorm(size.width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.self_attn_layer_norm(x + self.self_attn(x))
        out: Tensor = self.final_layer_norm(x + self.fc2(F.gelu(self.fc1(x))))
        return out


class _Attention(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (
            nn.Linear(size.width, size.width) for _ in range(4)
        )

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            proj(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        out: Tensor = self.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return out
