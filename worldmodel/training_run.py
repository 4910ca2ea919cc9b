"""How a training runs, whatever it trains: device, steps, checkpoints that outlive kill -9, the log of losses."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from worldmodel.checkpoint import (
    load_tensors,
    optimiser_tensors,
    part,
    restore_optimiser,
    save_tensors,
    under,
)
from worldmodel.errors import RequestError, WorldModelError

Report = Callable[[str], None]
Schedule = Callable[[int, int], float]
DEVICES = ("auto", "cuda", "cpu")
SAVE_EVERY_S = 60.0
REPORT_EVERY = 50
LOG_HEAD = "stage,step,loss,data_term,learning_rate\n"


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" is the GPU where there is one. Raises RequestError, WorldModelError."""
    if name not in DEVICES:
        raise RequestError(f"There is no device {name!r}.", f"Devices: {', '.join(DEVICES)}.")
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise WorldModelError("This installation of torch sees no GPU.", "Train with --device cpu.")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


def half_precision(device: torch.device) -> torch.autocast:
    """bf16 where the device is a GPU; on a CPU nothing changes."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")


def warm_cosine(step: int, steps: int) -> float:
    """Learning-rate factor: 100 steps of warm-up, then a cosine to 2 %."""
    return min(1.0, (step + 1) / 100) * (0.02 + 0.98 * cosine(step, steps))


def cosine(step: int, steps: int) -> float:
    """Learning-rate factor of cosine annealing to 0."""
    return 0.5 * (1 + math.cos(math.pi * step / steps))


@dataclass(frozen=True)
class Run:
    """One training, which may take several processes. identity: what must be the same to go on with it, as JSON."""

    out: Path
    identity: Mapping[str, Any]
    device: torch.device
    report: Report

    def generator(self, stage: int) -> torch.Generator:
        """The random numbers of one stage, always of the CPU: a seed means the same on every device."""
        return torch.Generator().manual_seed(1000 * int(self.identity["seed"]) + stage)


def start_run(
    out: Path, identity: Mapping[str, Any], device: torch.device, resume: bool, report: Report
) -> Run:
    """A run in `out`, with the network's initial weights drawn from its seed; raises WorldModelError."""
    if not resume and any(out.glob("*.checkpoint.safetensors")):
        raise WorldModelError(
            f"{out} already holds a run.", "Add --resume to go on with it, or choose another folder."
        )
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(identity["seed"])
    return Run(out, identity, device, report)


class Stage:
    """One network of a run and its steps: restore(), then update() once a step, then finish().

    A checkpoint holds model, average, optimiser, random state and step, so that a run that was killed goes on to the
    weights it would have had. ema: decay of the moving average of the weights; without it there is none.
    """

    def __init__(
        self,
        run: Run,
        name: str,
        model: nn.Module,
        steps: int,
        generator: torch.Generator,
        learning_rate: float,
        weight_decay: float,
        schedule: Schedule,
        describe: Callable[[float], str],
        ema: float | None = None,
    ) -> None:
        self.run, self.name, self.model, self.steps, self.generator = run, name, model, steps, generator
        self.learning_rate, self.schedule, self.describe = learning_rate, schedule, describe
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
        average = (
            AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(ema))  # type: ignore[no-untyped-call]
            if ema is not None
            else None
        )
        self.average = average
        self.kept = nn.ModuleDict({"now": model} | ({"average": average} if average is not None else {}))
        self.path = run.out / f"{name}.checkpoint.safetensors"
        self.done = False
        self.first_step, self.started = 0, time.monotonic()
        self.saved_at = self.started
        self.since_report: list[float] = []

    def restore(self) -> int:
        """Load the checkpoint if there is one; returns the number of steps done. Raises WorldModelError."""
        if self.path.exists():
            tensors, header = load_tensors(self.path)
            if header["run"] != self.run.identity:
                raise WorldModelError(
                    f"{self.run.out} holds another run ({_name(header['run'])}) than {_name(self.run.identity)}.",
                    "Go on with the options it was started with, or choose another folder.",
                )
            self.kept.load_state_dict(part(tensors, "model"))
            restore_optimiser(self.optimiser, part(tensors, "optimiser"))
            self.generator.set_state(tensors["generator"])
            self.first_step, self.done = int(header["step"]), bool(header["done"])
        self.log = LossLog(self.run.out, self.name, self.first_step)
        return self.first_step

    def update(self, step: int, loss: Tensor, data: Tensor) -> None:
        """One step down the loss; `data` is its part of the data alone. Logs, reports and saves when due."""
        rate = self.learning_rate * self.schedule(step, self.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        self.log.write(step + 1, float(loss.detach()), float(data), rate)
        self.since_report.append(float(data))
        if (step + 1) % REPORT_EVERY == 0 or step + 1 == self.steps:
            self._report(step + 1)
        if time.monotonic() - self.saved_at > SAVE_EVERY_S:
            self._save(step + 1)

    def finish(self) -> dict[str, Tensor]:
        """Keep the stage as done; returns its weights, the averaged ones where they are averaged."""
        self.done = True
        self._save(self.steps)
        model = self.average.module if self.average is not None else self.model
        return dict(model.state_dict())

    def _report(self, done: int) -> None:
        mean = sum(self.since_report) / len(self.since_report)
        self.since_report.clear()
        left_s = (time.monotonic() - self.started) / (done - self.first_step) * (self.steps - done)
        left = f", {left_s / 60:.0f} min left" if left_s >= 60 else ""
        self.run.report(f"{self.name} {done}/{self.steps} {self.describe(mean)}{left}")

    def _save(self, step: int) -> None:
        tensors = under("model", self.kept.state_dict()) | under(
            "optimiser", optimiser_tensors(self.optimiser)
        )
        header = {"step": step, "done": self.done, "run": self.run.identity}
        save_tensors(self.path, tensors | {"generator": self.generator.get_state()}, header)
        self.saved_at = time.monotonic()


def _name(identity: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in identity.items() if not isinstance(value, dict))


class LossLog:
    """log.csv of a run, a row a step; and the same for TensorBoard, where that is installed."""

    def __init__(self, out: Path, stage: str, steps_done: int) -> None:
        self.path, self.stage = out / "log.csv", stage
        kept = [LOG_HEAD]
        if self.path.exists():  # steps beyond the checkpoint are about to be taken again
            lines = self.path.read_text("utf-8").splitlines(keepends=True)[1:]
            kept += [line for line in lines if self._stays(line, steps_done)]
        self.path.write_text("".join(kept), "utf-8")
        self.board = _tensorboard(out, steps_done)

    def _stays(self, line: str, steps_done: int) -> bool:
        stage, step, *_ = [*line.split(","), ""]
        return line.endswith("\n") and (stage != self.stage or int(step) <= steps_done)

    def write(self, step: int, loss: float, data: float, rate: float) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{self.stage},{step},{loss:.6g},{data:.6g},{rate:.4g}\n")
        if self.board is not None:
            self.board.add_scalar(f"{self.stage}/loss", loss, step)
            self.board.add_scalar(f"{self.stage}/data_term", data, step)


def _tensorboard(out: Path, steps_done: int) -> Any:
    if find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(out / "tensorboard", purge_step=steps_done)
