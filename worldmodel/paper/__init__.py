"""The paper's single stage (arXiv 2605.17580), kept beside our two stages to be compared with them.

Faithful where the paper says how: 12 leads of 1,024 samples at 102.4 Hz, a latent of 4 x 128, a one-channel prior on
the mean rate under the mean effect, a projection learned along with the denoiser, 1,000 steps of ancestral sampling.
What it leaves open (sizes, the optimiser's decay, the code of the action) is ours.
"""

from worldmodel.paper.model import PaperModel

__all__ = ["PaperModel"]
