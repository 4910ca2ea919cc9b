"""The drug catalogue: typed records read from `data/drugs/*.yaml`, one file per class of drugs.

Every fact says where it comes from and how sure we are: `read` in the source, `computed` from the
trial's own table, `memory` (from memory: a clinician has to confirm it), `policy` (our own choice).
"""

from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import CatalogueError, UnknownDrugError

DATA = Path(__file__).parent / "data"
EVERY = "every_drug"  # the class that all drugs are in
Confidence = Literal["read", "computed", "memory", "policy"]
Current = Literal["ikr", "ical", "late_ina", "ina", "iks", "ik1", "ito"]


class Record(BaseModel):
    """Base of the catalogue's records: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EffectFact(Record):
    """Mean placebo-corrected change at the reference exposure and its spread between people."""

    mean: float
    sd: float = Field(ge=0)
    source: str
    confidence: Confidence


class EffectFacts(Record):
    """What a drug does to the ECG; None where nothing is known to happen.

    The names are those of `worldmodel.pharmacology.EFFECTS`; hr_bpm_af is the change of the
    ventricular rate in atrial fibrillation.
    """

    hr_bpm: EffectFact | None = None
    pr_ms: EffectFact | None = None
    qrs_ms: EffectFact | None = None
    jtpeakc_ms: EffectFact | None = None
    tpeak_tend_ms: EffectFact | None = None
    t_amplitude_fraction: EffectFact | None = None
    hr_bpm_af: EffectFact | None = None

    def known(self) -> dict[str, EffectFact]:
        """The facts there are, by name."""
        return {name: fact for name in type(self).model_fields if (fact := getattr(self, name)) is not None}


class Peak(Record):
    """Mean peak of the total concentration in plasma after `dose` (in the route's unit); a plateau for a rate."""

    ng_ml: float = Field(gt=0)
    sd: float | None = Field(default=None, ge=0)
    dose: float = Field(gt=0)
    source: str
    confidence: Confidence


class Binding(Record):
    """The share of the drug in plasma that is bound to proteins."""

    fraction: float = Field(ge=0, le=1)
    source: str
    confidence: Confidence


class Channels(Record):
    """Ion currents that the drug blocks: half-maximal free concentration in nM and Hill coefficient of each.

    free_cmax_nm: the free peak in plasma under therapy, in nM.
    """

    ic50_nm: dict[Current, float]
    hill: dict[Current, float]
    free_cmax_nm: float | None = None
    source: str
    confidence: Confidence


class Adjustment(Record):
    """What the dose has to be, or whether there may be one, when an organ fails."""

    text: str
    source: str
    confidence: Confidence


class DrugRoute(Record):
    """One way to give a drug: how much, and its course in plasma.

    Doses are in `unit`. A rate such as ug/kg/min makes it an infusion, whose exposure rises to a
    plateau, and `max_single` is then the largest rate. over_min: a dose takes at least so long.
    reference_dose: the dose whose mean Cmax is the reference exposure of the drug's effects; where it
    is over the maximum, as in a trial, reference_why says so. exposure_cv: coefficient of variation of
    exposure between people. observe_hours: when the peak effect is looked at. None: not known, or no
    such limit in the source.
    """

    route: str
    unit: str
    usual_doses: tuple[float, ...] = Field(min_length=1)
    max_single: float | None = None
    max_daily: float | None = None
    reference_dose: float = Field(gt=0)
    tmax_h: float = Field(gt=0)
    half_life_h: float = Field(gt=0)
    infusion: bool = False
    exposure_cv: float = Field(default=0.3, gt=0)
    observe_hours: float = Field(gt=0)
    over_min: float | None = Field(default=None, gt=0)
    cmax: Peak | None = None
    reference_why: str = ""
    note: str = ""
    source: str
    confidence: Confidence


class Drug(Record):
    """One drug. `classes` are names of `data/classes.yaml`; a drug without routes is never a candidate,
    only a partner that rules name.

    mechanism: channels and autonomic actions at the reference exposure, 1 being full block or drive; of IKr 1 is what
    dofetilide blocks at 500 ug, 57 % by its IC50 and free peak.
    confidence: of its names, codes, classes, goals and indications.
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    salts: tuple[str, ...] = ()
    atc: str | None = Field(default=None, pattern=r"^[A-Z]\d\d[A-Z]{2}\d\d$")
    rxcui: str | None = Field(default=None, pattern=r"^\d{2,7}$")
    classes: tuple[str, ...]
    goals: tuple[str, ...] = ()
    indications: tuple[str, ...] = ()
    mechanism: dict[str, float] = Field(default_factory=dict)
    mechanism_source: str = "from memory of textbooks, potencies and free peaks"
    mechanism_confidence: Confidence = "memory"
    channels: Channels | None = None
    binding: Binding | None = None
    half_life_h: float | None = None
    renal: Adjustment | None = None
    hepatic: Adjustment | None = None
    routes: tuple[DrugRoute, ...] = ()
    effects: EffectFacts = EffectFacts()
    sources: tuple[str, ...] = ()
    confidence: Confidence = "memory"

    def __hash__(self) -> int:
        return hash(self.id)

    def route(self, name: str) -> DrugRoute:
        """The route of that name. Raises UnknownDrugError when the drug is not given so."""
        for route in self.routes:
            if route.route == name:
                return route
        given = ", ".join(route.route for route in self.routes) or "no route of this catalogue"
        raise UnknownDrugError(f"{self.name} has no route {name!r} here", f"It is given by: {given}.")

    @cached_property
    def longest_half_life_h(self) -> float | None:
        """The half-life a washout has to wait for: the longest of its routes; None where unknown."""
        known = [route.half_life_h for route in self.routes]
        return max([*known, self.half_life_h or 0.0]) or None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it is known by: generic, aliases, brands, salts."""
        return (self.name, *self.aliases, *self.brands, *self.salts)


class DrugClass(Record):
    """A class of drugs; `includes` names other classes or single drugs that belong to it, too.

    allergy_names: how an allergy to the whole class is written.
    """

    text: str
    allergy_names: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()


class Catalogue:
    """All drugs and classes. Built once, read only."""

    def __init__(self, drugs: tuple[Drug, ...], classes: Mapping[str, DrugClass]) -> None:
        self.drugs = drugs
        self.classes = dict(classes)
        self._by_id = {drug.id: drug for drug in drugs}
        self._members = _members(drugs, self.classes)

    def get(self, drug_id: str) -> Drug:
        """The drug of that id. Raises UnknownDrugError."""
        try:
            return self._by_id[drug_id]
        except KeyError:
            raise UnknownDrugError(f"no drug has the id {drug_id!r}", "See the catalogue's ids.") from None

    def __contains__(self, drug_id: object) -> bool:
        return drug_id in self._by_id

    def __iter__(self) -> Iterator[Drug]:
        return iter(self.drugs)

    def is_class(self, name: str) -> bool:
        """Whether it is the name of a class."""
        return name in self._members

    def members(self, name: str) -> frozenset[str]:
        """Ids of the drugs that `name`, a drug's id or a class, stands for. Raises CatalogueError."""
        if name in self._by_id:
            return frozenset((name,))
        if name in self._members:
            return self._members[name]
        raise CatalogueError(f"{name!r} is neither a drug nor a class", "Name one of the catalogue.")

    def classes_of(self, drug_id: str) -> tuple[str, ...]:
        """Every class the drug belongs to, those it inherits among them."""
        return tuple(name for name, members in self._members.items() if drug_id in members)


def _members(drugs: tuple[Drug, ...], classes: Mapping[str, DrugClass]) -> dict[str, frozenset[str]]:
    """Ids in each class, with what it includes. Raises CatalogueError on unknown names and cycles."""
    ids = {drug.id for drug in drugs}
    direct: dict[str, set[str]] = {name: set() for name in classes} | {EVERY: ids}
    for drug in drugs:
        for name in drug.classes:
            if name not in direct:
                raise CatalogueError(f"drug {drug.id}: no class {name!r}", "Add it to classes.yaml.")
            direct[name].add(drug.id)

    def collect(name: str, path: tuple[str, ...]) -> set[str]:
        if name in path:
            raise CatalogueError(
                f"classes include each other: {' > '.join((*path, name))}", "Break the cycle."
            )
        found = set(direct[name])
        for part in classes[name].includes if name in classes else ():
            if part in ids:
                found.add(part)
            elif part in classes:
                found |= collect(part, (*path, name))
            else:
                raise CatalogueError(
                    f"class {name} includes {part!r}, which is nothing", "Mend classes.yaml."
                )
        return found

    return {name: frozenset(collect(name, ())) for name in direct}


def read_yaml(path: Path) -> Any:
    """Parse one YAML file. Raises CatalogueError with file and line."""
    try:
        return yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogueError(f"{path.name}: {error}", "Mend the file; it has to be UTF-8 YAML.") from error


def explain(error: ValidationError) -> str:
    """The first of pydantic's complaints, as 'where: what'."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def read_drugs(folder: Path) -> tuple[Drug, ...]:
    """Read every drug file of a folder. Source keys are replaced by the text in the file's `sources`."""
    drugs: list[Drug] = []
    for path in sorted(folder.glob("*.yaml")):
        document = read_yaml(path)
        sources: Mapping[str, str] = document.get("sources", {})
        for entry in document["drugs"]:
            try:
                drug = Drug.model_validate(cite(entry, sources))
            except ValidationError as error:
                name = entry.get("id", "?") if isinstance(entry, dict) else "?"
                raise CatalogueError(f"{path.name}, {name}: {explain(error)}", "Mend the record.") from error
            drugs.append(drug)
    ids = [drug.id for drug in drugs]
    twice = sorted({drug_id for drug_id in ids if ids.count(drug_id) > 1})
    if twice:
        raise CatalogueError(f"drugs that occur twice: {', '.join(twice)}", "Keep one record of each.")
    return tuple(drugs)


def cite(entry: Any, sources: Mapping[str, str]) -> Any:
    """Write out source keys: {source: label} becomes {source: "<text of label>"}, at any depth."""
    if isinstance(entry, dict):
        return {
            key: [sources.get(item, item) for item in value]
            if key == "sources"
            else sources.get(value, value)
            if key == "source" and isinstance(value, str)
            else cite(value, sources)
            for key, value in entry.items()
        }
    return [cite(item, sources) for item in entry] if isinstance(entry, list) else entry


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """The catalogue that ships with the package, read once."""
    classes = {
        name: DrugClass.model_validate(entry) for name, entry in read_yaml(DATA / "classes.yaml").items()
    }
    return Catalogue(read_drugs(DATA / "drugs"), classes)
