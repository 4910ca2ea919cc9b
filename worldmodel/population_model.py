"""The hierarchical model of a crossover trial, as a function of its parameters: what `population_fit` maximises.

A subject's measurements are normal around the mean of the arm once the subject's own vector is given (see
response.People); that vector is integrated out around its most likely value (first-order conditional estimation,
Lindstrom and Bates 1990, doi:10.2307/2532087).
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.func import vmap
from torch.quasirandom import SobolEngine

from worldmodel.datasets.ecgrdvq import Trial
from worldmodel.exposure import Rates, course, peak
from worldmodel.population import PLASMA_FLOOR, N, kron
from worldmodel.response import PER_DRUG, with_log_amplitude

Parameters = dict[str, Tensor]
# What was given, the mean Cmax it is known to reach (ng/mL, doi:10.1038/clpt.2014.155), and where the search starts:
# absorption and elimination per hour, lag in hours, effects in the order of EFFECTS.
GIVEN = {
    "dofetilide": ("oral", 500.0, "ug", 2.7, 1.5, 0.11, 0.35, (0.0, 0.0, 0.0, 39.0, 40.0, -0.20)),
    "quinidine": ("oral", 400.0, "mg", 1950.0, 1.5, 0.10, 0.25, (8.0, 4.0, 0.0, 30.0, 45.0, -0.30)),
    "ranolazine": ("oral", 1500.0, "mg", 2000.0, 0.4, 0.10, 0.35, (3.0, 4.0, 1.0, 1.0, 8.0, -0.15)),
    "verapamil": ("oral", 120.0, "mg", 150.0, 3.0, 0.45, 0.20, (9.0, 32.0, 1.0, -2.0, 4.0, -0.15)),
}
TWO_PHASES = ("verapamil",)
UNIT = torch.tensor(
    [5.0, 10.0, 3.0, 12.0, 8.0, 0.15], dtype=torch.float64
)  # the size of an effect that matters
DAY_SD = torch.tensor([3.5, 4.0, 2.0, 5.0, 2.5, 0.08], dtype=torch.float64)
STEP_SD = torch.tensor(
    [3.0, 3.0, 1.0, 2.0, 1.5, 0.06], dtype=torch.float64
)  # of the mean course, per root hour
PK_CV = torch.tensor([0.5, 0.15, 0.25], dtype=torch.float64)
SPREADS = ("log_pk", "log_sensitivity", "of_sensitivity", "shared", "unseen")
PAIRS = N * (N - 1) // 2
DRAWN = 128  # people that a mean course is taken over
SUREST = 0.05  # of UNIT, the least error of a mean
INDEPENDENT = 1 / 3  # share of its times that count: they have the baseline, the day and the people in common


class TrialModel:
    """The model of one trial as a function of its parameters (log where their names begin with log_)."""

    def __init__(self, trial: Trial, drugs: tuple[str, ...]) -> None:
        self.trial = trial
        self.drugs = drugs
        self.hours = torch.from_numpy(trial.hours)
        self.values = torch.from_numpy(trial.values)
        self.cmax = torch.tensor([GIVEN[name][3] for name in drugs], dtype=torch.float64)
        plasma = torch.from_numpy(trial.plasma_ng_ml[:, 1:, 1:])
        relative = torch.log(plasma / self.cmax[:, None] + PLASMA_FLOOR)
        data = torch.cat([self.values.flatten(1), relative.flatten(1)], dim=1)
        self.known = data.isfinite()
        self.data = data.nan_to_num(0.0)
        self.two_phases = torch.tensor([name in TWO_PHASES for name in drugs])
        change = self.values[:, :, 1:] - self.values[:, :, :1]  # from baseline
        change = change[:, 1:] - change[:, :1]  # and from placebo
        self.mean_course = change.nanmean(dim=0).nan_to_num(0.0)
        n = change.isfinite().sum(dim=0)
        error = ((change - self.mean_course).square().nanmean(dim=0) / (n - 1)).sqrt()
        self.mean_error = torch.maximum(error, SUREST * UNIT).nan_to_num(torch.inf)  # of one subject: nothing
        sobol = SobolEngine(N + PER_DRUG * len(drugs), scramble=True, seed=0)  # type: ignore[no-untyped-call]
        self.people = torch.special.ndtri(sobol.draw(DRAWN, dtype=torch.float64))
        # Adam moves every parameter by about its rate; these make that a sensible step.
        self.scale = {"effect": UNIT / 2, "drift": UNIT / 3, "level": UNIT / 3}

    def start(self) -> Parameters:
        """Where the search begins; mean levels and courses as they are in the placebo arm."""
        n = len(self.drugs)
        mean = self.values.nanmean(dim=0)

        def of(index: int) -> Tensor:
            return torch.tensor([GIVEN[name][index] for name in self.drugs], dtype=torch.float64)

        def full(value: float, *shape: int) -> Tensor:
            return torch.full(shape, value, dtype=torch.float64)

        return {
            "level": mean[:, 0].mean(dim=0),
            "drift": 0.7 * (mean[0, 1:] - mean[0, :1]),
            "log_between": torch.log(torch.tensor([6.0, 19.0, 5.0, 13.0, 5.0, 0.28], dtype=torch.float64)),
            "log_period": DAY_SD.log(),
            "log_person": DAY_SD.log(),
            "log_noise": torch.log(0.7 * DAY_SD),
            "log_unsteady": full(math.log(0.1), N),
            "log_hours": torch.log(torch.tensor([12.0, 4.0], dtype=torch.float64)),
            "of_between": full(0.0, PAIRS),
            "of_day": full(0.0, PAIRS),
            "of_person": full(0.0, PAIRS),
            "of_sensitivity": full(0.0, PAIRS),
            "log_absorption": of(4).log(),
            "log_elimination": of(5).log(),
            "log_slow": full(math.log(0.08), n),
            "slow_share": full(-2.0, n),
            "log_lag": of(6).log(),
            "log_release": full(math.log(1.0), n),
            "log_plasma": full(0.0, n),
            "log_site": full(math.log(math.log(2.0) / 0.3), n),
            "log_power": full(0.0, n),
            "effect": of(7),
            "log_pk": PK_CV.log().repeat(n, 1),
            "log_sensitivity": torch.log(0.25 * of(7).abs() + 0.15 * UNIT),
            "unseen": full(-0.5),
            "shared": full(-1.0),
            "log_assay": full(math.log(0.25), n),
        }

    def scaled(self, parameters: Mapping[str, Tensor]) -> Parameters:
        return {name: value * self.scale.get(name, 1.0) for name, value in parameters.items()}

    def effects(self, p: Parameters, person: Tensor) -> tuple[Tensor, Tensor]:
        """Effects (drug, time, 6), amplitude as logarithm, and relative plasma (drug, time) of one person (d,)."""
        own = person[N:].reshape(len(self.drugs), PER_DRUG)
        pk = p["log_pk"].exp()
        share = torch.where(self.two_phases, torch.sigmoid(p["slow_share"]), 0.0)
        slow, site_rate = p["log_slow"].exp(), p["log_site"].exp()
        ka, ke, release = (p[name].exp() for name in ("log_absorption", "log_elimination", "log_release"))
        faster, sooner = torch.exp(pk[:, 0] * own[:, 0]), torch.exp(pk[:, 1] * own[:, 1])
        plasma, site = course(
            self.hours[:, None] - p["log_lag"].exp() / faster,
            Rates(ka * faster, ke * sooner, share, slow * sooner, site_rate, release),
        )
        top = peak(Rates(ka, ke, share, slow, site_rate, release))
        seen = (1.0 - torch.sigmoid(p["unseen"])) * pk[:, 2]
        plasma = plasma / top * torch.exp(p["log_plasma"] + pk[:, 2] * own[:, 2] - 0.5 * pk[:, 2] ** 2)
        site = site.clamp(min=0.0) / top * torch.exp(seen * own[:, 2] - 0.5 * seen**2)
        common = torch.sigmoid(p["shared"])
        normal = common.sqrt() * person[:N] + (1.0 - common).sqrt() * own[:, 3:]
        size = p["effect"] + p["log_sensitivity"].exp() * (normal @ correlation_root(p["of_sensitivity"]).T)
        change = ((site + 1e-9) ** p["log_power"].exp()).T[..., None] * size[:, None]
        return with_log_amplitude(change), plasma.T

    def mean(self, p: Parameters, person: Tensor) -> Tensor:
        """What `data` of a subject should be, flat."""
        change, plasma = self.effects(p, person)
        none = torch.zeros(1, len(self.hours), N, dtype=torch.float64)
        drift = torch.cat([torch.zeros(1, N, dtype=torch.float64), p["drift"]])
        values = p["level"] + drift + torch.cat([none, change])
        return torch.cat([values.flatten(), torch.log(plasma[:, 1:] + PLASMA_FLOOR).flatten()])

    def covariance(self, p: Parameters) -> Tensor:
        """Of the data around `mean`: level, day, noise, assay."""
        arms, times = len(self.drugs) + 1, len(self.hours)
        one = torch.eye(arms, dtype=torch.float64)
        day = self.day(p)
        everywhere = torch.ones(arms * times, arms * times, dtype=torch.float64)
        gap = (self.hours[:, None] - self.hours).abs()
        person_hours, period_hours = p["log_hours"].exp()
        always = torch.exp(-gap / person_hours).repeat(arms, arms)
        today = torch.kron(one, torch.exp(-gap / period_hours))
        parts = (
            (everywhere, day["between"]),
            (always, day["person"]),
            (today, day["period"]),
            (torch.eye(arms * times, dtype=torch.float64), day["noise"]),
        )
        size = arms * times * N
        whole = torch.stack([kron(a, b).reshape(size, size) for a, b in parts]).sum(dim=0)
        # held fixed here, or effects would grow to explain noise
        nobody = torch.zeros(N + PER_DRUG * len(self.drugs), dtype=torch.float64)
        usual = self.effects(p, nobody)[0].detach()
        unsteady = (torch.cat([torch.zeros_like(usual[:1]), usual]) * p["log_unsteady"].exp()).flatten() ** 2
        assay = (2 * p["log_assay"]).exp().repeat_interleave(times - 1)
        parts_of = (whole + torch.diag(unsteady), torch.diag(assay))
        found: Tensor = torch.block_diag(*parts_of)  # type: ignore[no-untyped-call]
        return found

    def day(self, p: Parameters) -> dict[str, Tensor]:
        """Covariances (6, 6) of level, person, period and noise; the last two are correlated alike."""

        def of(sd: str, correlation: str) -> Tensor:
            root = p[sd].exp()[:, None] * correlation_root(p[correlation])
            return root @ root.T

        return {
            "between": of("log_between", "of_between"),
            "person": of("log_person", "of_person"),
            "period": of("log_period", "of_day"),
            "noise": of("log_noise", "of_day"),
        }

    def likeliest(self, p: Parameters, people: Tensor, steps: int) -> Tensor:
        """The subjects' vectors (subject, d), some Gauss-Newton steps on from `people`."""
        covariance = self.covariance(p)
        for _ in range(steps):
            mean, slope = self.linear(p, people)
            best = []
            for i, known in enumerate(self.known):
                j = slope[i][known]
                left = self.data[i][known] - mean[i][known] + j @ people[i]
                root = torch.linalg.cholesky(j @ j.T + covariance[known][:, known])
                best.append(j.T @ torch.cholesky_solve(left[:, None], root)[:, 0])
            people = people + 0.7 * (torch.stack(best) - people).clamp(-2.0, 2.0)
        return people

    def centre(self, parameters: Parameters, p: Parameters, people: Tensor) -> Tensor:
        """Move what all subjects have in common from their vectors into the parameters, in place; returns the rest.

        The slow direction of the search: without it the parameters creep after the mean of the subjects.
        """
        common = people.mean(dim=0)
        own = common[N:].reshape(len(self.drugs), PER_DRUG)
        pk = p["log_pk"].exp()
        shared = torch.sigmoid(p["shared"])
        normal = shared.sqrt() * common[:N] + (1.0 - shared).sqrt() * own[:, 3:]
        grown = torch.exp(p["log_power"].exp() * (1.0 - torch.sigmoid(p["unseen"])) * pk[:, 2] * own[:, 2])
        effect = p["effect"] + p["log_sensitivity"].exp() * (normal @ correlation_root(p["of_sensitivity"]).T)
        moved = {
            "effect": effect * grown[:, None],
            "log_absorption": p["log_absorption"] + pk[:, 0] * own[:, 0],
            "log_lag": p["log_lag"] - pk[:, 0] * own[:, 0],
            "log_elimination": p["log_elimination"] + pk[:, 1] * own[:, 1],
            "log_slow": p["log_slow"] + pk[:, 1] * own[:, 1],
            "log_plasma": p["log_plasma"] + pk[:, 2] * own[:, 2],
        }
        for name, value in moved.items():
            parameters[name].data.copy_(value / self.scale.get(name, 1.0))
        return people - common

    def linear(self, p: Parameters, people: Tensor) -> tuple[Tensor, Tensor]:
        """Mean (subject, n) and its slope (subject, n, d) at the subjects' vectors, by central differences.

        The slope follows the spreads between people only: letting it follow what the mean is made of would reward
        small effects for being certain (the linear mixed step of Lindstrom and Bates holds it fixed, too).
        """
        fixed = {name: value if name in SPREADS else value.detach() for name, value in p.items()}

        step = 1e-4 * torch.eye(people.shape[1], dtype=people.dtype)
        around = torch.cat([people[:, None] + step, people[:, None] - step], dim=1)
        above, below = vmap(vmap(lambda person: self.mean(fixed, person)))(around).chunk(2, dim=1)
        return vmap(lambda person: self.mean(p, person))(people), ((above - below) / 2e-4).transpose(1, 2)

    def log_likelihood(self, p: Parameters, people: Tensor) -> Tensor:
        """Of all subjects, their vectors integrated out around `people`. What is missing counts for nothing."""
        mean, slope = self.linear(p, people)
        known = self.known.double()
        whole = slope @ slope.transpose(1, 2) + self.covariance(p)
        whole = whole * known[:, :, None] * known[:, None] + torch.diag_embed(1.0 - known)
        left = (self.data - mean + (slope @ people[..., None])[..., 0]) * known
        root = torch.linalg.cholesky(whole)
        scaled = torch.linalg.solve_triangular(root, left[..., None], upper=False)
        total: Tensor = -0.5 * scaled.square().sum() - root.diagonal(dim1=1, dim2=2).log().sum()
        return total

    def mismatch(self, p: Parameters) -> Tensor:
        """Half the squared errors of the mean course of people as they are drawn, in the trial's standard errors.

        The likelihood asks that each subject can be described; a few who absorb late can make it widen the spread of
        absorption until the mean of those who are drawn is flatter than any mean of subjects.
        """
        drawn = vmap(lambda person: self.effects(p, person)[0])(self.people).mean(dim=0)
        error: Tensor = (drawn[:, 1:] - self.mean_course) / self.mean_error
        return 0.5 * INDEPENDENT * error.square().sum()

    def prior(self, p: Parameters) -> Tensor:
        """Minus the log of weak priors: what eleven people cannot tell stays near what is usual."""

        def near(value: Tensor, centre: Tensor | float, sd: Tensor | float) -> Tensor:
            return 0.5 * ((value - centre) / sd).square().sum()

        course_of = torch.cat([torch.zeros(1, N, dtype=torch.float64), p["drift"]])
        gap = torch.diff(self.hours).clamp(max=3.0).sqrt()[:, None]
        usual_spread = torch.log(0.2 * p["effect"].detach().abs() + 0.1 * UNIT)
        terms = [
            near(torch.diff(course_of, dim=0), 0.0, STEP_SD * gap),
            near(p["log_power"], 0.0, 0.2),
            near(p["log_site"], math.log(math.log(2.0) / 0.3), 0.8),
            near(p["log_lag"], math.log(0.3), 0.4),
            near(p["log_release"], math.log(1.0), 0.7),
            near(p["effect"] / UNIT, 0.0, 12.0),
            near(p["log_sensitivity"], usual_spread, 0.5),
            near(p["log_pk"], PK_CV.log(), 0.5),
            near(p["log_unsteady"], math.log(0.1), 0.7),
            near(p["log_period"], DAY_SD.log(), 0.6),
            near(p["log_person"], DAY_SD.log(), 0.6),
            near(p["unseen"], 0.0, 1.0),
            near(p["shared"], -1.0, 1.0),
            *(near(p[name], 0.0, 0.4) for name in ("of_between", "of_day", "of_person", "of_sensitivity")),
        ]
        return torch.stack(terms).sum()


def correlation_root(free: Tensor) -> Tensor:
    """Lower root (6, 6) of a correlation matrix, from the 15 numbers below its diagonal."""
    rows, columns = torch.tril_indices(N, N, -1)
    lower = torch.eye(N, dtype=free.dtype).index_put((rows, columns), free)
    root: Tensor = lower / lower.norm(dim=1, keepdim=True)
    return root
