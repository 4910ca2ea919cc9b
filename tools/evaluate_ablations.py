"""Tool: the paper's ablations and mistakes, each with its numbers and a figure."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.evaluate import ARMS, arms
from tools.model import model_used, shared_model
from tools.results import Answer, ModelUsed, Result
from tools.worldmodel_goals import SPREAD_OF
from tools.writing import written_whole
from worldmodel.scoring import LAMBDA

if TYPE_CHECKING:
    from worldmodel.model import WorldModel
    from worldmodel.pharmacology import Action

Report = Callable[[str], None]
SAMPLES = 24  # of each action: many, so that few of them can be drawn again and again
KS = (2, 3, 4, 6, 8, 12)
LAMBDAS = (0.0, 0.3, LAMBDA, 1.0, 1.5, 2.0)
DISPERSED = 8
IN_PASSING = 2
TRAINED_SAMPLES = 3
PAIRS_OF_RECORDINGS = 32


class Ablation(Result):
    """One ablation. finding: its result in a sentence; rows: its numbers, as drawn."""

    name: str
    finding: str
    figure: str
    rows: tuple[dict[str, Any], ...]


class AblationsResult(Answer):
    """All of them; table: the JSON file with the same numbers."""

    patients: int
    steps: int
    seed: int
    ablations: tuple[Ablation, ...]
    table: str
    model: ModelUsed


def evaluate_ablations(out: Path, patients: int, steps: int, seed: int, report: Report) -> AblationsResult:
    """Everything into `out`; a second call goes on with the trainings that the first began.

    steps: of each short training. Raises WeightsError, WorldModelError, OutputError.
    """
    model, actions = shared_model(), arms()
    source = f"{model.info.name}, virtual patients in sinus rhythm, n = {patients}, seed {seed}"
    ablations: list[Ablation] = []
    for ablate in (_blindness, _few_samples, _missing, _mismatch):
        ablations += ablate(model, actions, patients, seed, out, source)
        report(f"{ablations[-1].name}: {ablations[-1].finding}")
    ablations.append(_energy(model, actions, patients, steps, seed, out, source, report))
    result = AblationsResult(
        patients=patients,
        steps=steps,
        seed=seed,
        ablations=tuple(ablations),
        table=str(out / "ablations.json"),
        model=model_used(model.info),
    )
    with written_whole(out / "ablations.json") as unfinished:
        unfinished.write_text(result.model_dump_json(indent=2) + "\n", "utf-8")
    return result


def _blindness(
    model: "WorldModel", _: "dict[str, Action]", __: int, seed: int, out: Path, ___: str
) -> list[Ablation]:
    from tools.ablation_figures import draw_sights
    from worldmodel.evaluation.blindness import see_differences

    rows = see_differences(model.vae, PAIRS_OF_RECORDINGS, seed)
    by = {row.difference: row.latent_mse for row in rows}
    ratio = by["another rhythm, same rate"] / by["J-Tpeakc +10 ms"]
    finding = f"another rhythm at the same rate is {ratio:.0f} times the latent MSE of 10 ms of J-Tpeakc"
    caption = (
        "What the mean squared error sees: two recordings of a virtual patient that differ by one thing, an effect of "
        f"10 ms (plain) or what changes anyhow (hatched). n = {PAIRS_OF_RECORDINGS} patients, seed {seed}; VAE of "
        f"{model.info.name}. Noise and rhythm are the same where not named."
    )
    figure = draw_sights(rows, caption, out / "mse_blindness.png")
    return [_ablation("MSE blindness", finding, figure, rows)]


def _few_samples(
    model: "WorldModel", actions: "dict[str, Action]", patients: int, seed: int, out: Path, source: str
) -> list[Ablation]:
    from tools.ablation_figures import draw_rankings, draw_spread_errors
    from worldmodel.evaluation.comparison import compare
    from worldmodel.evaluation.effects import OURS
    from worldmodel.evaluation.scoring_ablation import rankings, spread_errors
    from worldmodel.evaluation.unseen import QTCF, RISK

    compared = compare({OURS: (model, SAMPLES)}, actions, patients, seed, forecasts=False)
    values = compared.predicted[OURS]
    whole = values.reshape(-1, SAMPLES, values.shape[-1])
    whole = whole[(whole[..., [QTCF, RISK]] == whole[..., [QTCF, RISK]]).all(axis=(1, 2))]
    errors = spread_errors(whole[..., QTCF], whole[..., RISK], KS, seed)
    (three,) = (row for row in errors if row.k == 3)
    caption = (
        f"The paper's K: RMS relative error of the SD of K samples against that of {SAMPLES}, over {len(whole)} cases "
        f"(patient and action: {', '.join(actions)}). {source}."
    )
    few = _ablation(
        "K",
        f"with K = 3 the spread of QTcF is off by {100 * three.qtcf:.0f} %, that of risk by {100 * three.risk:.0f} %",
        draw_spread_errors(errors, caption, out / "k.png"),
        errors,
    )
    ranked = rankings(values[..., RISK], LAMBDAS)
    (ours,) = (row for row in ranked if row.lambda_ == LAMBDA)
    caption = (
        f"The paper's λ: order of the actions by S = mean + λ SD of the interval risk over {SAMPLES} samples. Left: "
        f"mean rank over patients. Right: patients in whom the first stays that of λ = 0. {source}."
    )
    order = _ablation(
        "lambda",
        f"at λ = {LAMBDA:g} the first of λ = 0 stays first in {100 * ours.same_first:.0f} % of patients",
        draw_rankings(ranked, list(actions), caption, out / "lambda.png"),
        ranked,
    )
    return [few, order]


def _missing(
    model: "WorldModel", actions: "dict[str, Action]", patients: int, seed: int, out: Path, source: str
) -> list[Ablation]:
    from tools.ablation_figures import draw_missing
    from worldmodel.evaluation.missing_leads import evaluate_missing_leads

    drug = ARMS[1][0]
    rows = evaluate_missing_leads(model, actions[drug], patients, IN_PASSING, seed)
    worst = max((row for row in rows if row.bias_ms is not None), key=lambda row: abs(row.bias_ms or 0.0))
    caption = (
        f"Missing leads: QTcF of simulated ECGs under {drug} when leads are missing from the pre-dose ECG, less that "
        f"with all leads, by the same random numbers. Mean and SD over patients, K = {IN_PASSING}. Limb leads follow "
        f"from the others by Einthoven's law. {source}."
    )
    finding = f"the largest QTcF bias is {worst.bias_ms:+.1f} ms, without {' and '.join(worst.leads)}"
    return [_ablation("missing leads", finding, draw_missing(rows, caption, out / "missing_leads.png"), rows)]


def _mismatch(
    model: "WorldModel", actions: "dict[str, Action]", patients: int, seed: int, out: Path, source: str
) -> list[Ablation]:
    from tools.ablation_figures import draw_dispersion
    from worldmodel.evaluation.prior_mismatch import disperse

    drug = ARMS[1][0]
    rows = disperse(model, actions[drug], patients, DISPERSED, seed)
    by = {(row.regime, row.scale): row.pairwise for row in rows}
    on, off, noise = by["healthy", 1.0], by["healthy", 0.0], by["Gaussian latent", 1.0]
    finding = f"distance of pairs {on:.2f} with EPK, {off:.2f} without, {noise:.2f} with noise in its place"
    caption = (
        f"Mistaken prior (the paper's fig. 9; its regimes are not described, these are ours): distances of {DISPERSED} "
        f"samples under {drug}, encoded, less the anchor of the same response and rhythm; RMS over elements, mean over "
        "patients. Heavy jitter: the prior moved by up to 240 ms; Gaussian latent: noise in its place. EPK off: the "
        f"anchor in its place, at inference. {source}."
    )
    return [
        _ablation("prior mismatch", finding, draw_dispersion(rows, caption, out / "prior_mismatch.png"), rows)
    ]


def _energy(
    model: "WorldModel",
    actions: "dict[str, Action]",
    patients: int,
    steps: int,
    seed: int,
    out: Path,
    source: str,
    report: Report,
) -> Ablation:
    import numpy as np

    from tools.ablation_figures import draw_energy
    from worldmodel.evaluation import energy_ablation as energy
    from worldmodel.evaluation.comparison import compare
    from worldmodel.evaluation.forecast_scores import rms_bias, spread_ratio, value_of
    from worldmodel.model import WorldModel

    every = list(actions.values())
    pairs = energy.encode_pairs(model.vae, every, seed)
    held_out = energy.encode_pairs(model.vae, every, seed + 1, energy.HELD_OUT)
    trained = {
        one.name: energy.train_weighted(
            pairs, one, steps, out / f"energy_{i}.checkpoint.safetensors", seed, report
        )
        for i, one in enumerate(energy.WEIGHTINGS)
    }
    models = {name: WorldModel(model.vae, denoiser, model.info) for name, denoiser in trained.items()}
    contestants = {name: (one, TRAINED_SAMPLES) for name, one in models.items()}
    compared = compare(contestants, actions, patients, seed, forecasts=False)
    drugs = np.array([bool(action.drugs) for action in every])
    rows = []
    for name, denoiser in trained.items():
        row: dict[str, Any] = {
            "weighting": name,
            **asdict(energy.measure_distances(denoiser, held_out, seed)),
        }
        for interval in SPREAD_OF:
            row[f"{interval}_bias"] = value_of(rms_bias(interval, drugs), compared, name)
            row[f"{interval}_spread"] = value_of(spread_ratio(interval), compared, name)
        rows.append(row)
    first, last = rows[0], rows[-1]
    caption = (
        f"Weight of the energy: the same small network (width {energy.WIDTH}), trained for {steps} steps of "
        f"{energy.BATCH} from one start on {len(pairs.target)} pairs; VAE of {model.info.name}, frozen. As written, "
        f"w = 1/((1 − ᾱ) + ε) (eq. 28) reaches 10⁴. Latent MSE: of samples on {len(held_out.target)} held-out pairs. "
        f"Bias and spread: measured, K = {TRAINED_SAMPLES}. Short trainings: compare them only with each other. "
        f"{source}."
    )
    figure = draw_energy(
        [row["weighting"] for row in rows],
        [(row["to_truth"], row["to_prior"]) for row in rows],
        [[row[f"{interval}_bias"] for interval in SPREAD_OF] for row in rows],
        [[row[f"{interval}_spread"] for interval in SPREAD_OF] for row in rows],
        caption,
        out / "energy.png",
    )
    finding = (
        f"latent MSE to the prior {first['to_prior']:.2f} without energy, {last['to_prior']:.2f} as written; "
        f"to the truth {first['to_truth']:.2f} and {last['to_truth']:.2f}"
    )
    printable = tuple({key: _finite(value) for key, value in row.items()} for row in rows)
    return Ablation(name="energy", finding=finding, figure=str(figure), rows=printable)


def _ablation(name: str, finding: str, figure: Path, rows: Sequence[Any]) -> Ablation:
    """rows: dataclasses."""
    printable = tuple({key: _finite(value) for key, value in asdict(row).items()} for row in rows)
    return Ablation(name=name, finding=finding, figure=str(figure), rows=printable)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value
