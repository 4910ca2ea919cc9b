"""Whether a dose, a medication on the list, or an allergy is the one a rule means: three-valued, with evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.chart import Chart
from knowledge.conditions import ALWAYS, Evidence, Truth, Value
from knowledge.doses import DrugDose, convert_dose
from knowledge.drugs import Catalogue
from knowledge.errors import DoseError
from knowledge.medications import Taken, substances
from knowledge.patient import Patient
from knowledge.rules import DoseTest, Rule

# Where no weight is known, a test per kg is decided only if it comes out the same at both of these.
ADULT_WEIGHTS_KG = (30.0, 250.0)
HALF_LIVES = 5.0  # after so many a drug that was stopped has gone, where no rule says another number
Allergies = list[tuple[str, frozenset[str]]]


@dataclass(frozen=True)
class Matching:
    """One patient's chart and allergies, ready to be matched. allergies None: no list was given."""

    catalogue: Catalogue
    chart: Chart
    allergies: Allergies | None

    def fits(
        self, dose: DrugDose, routes: tuple[str, ...] | None, test: DoseTest | None, said: str = "given"
    ) -> Truth:
        """Whether a dose that is given is by such a route and of such a size."""
        if routes is not None and dose.route not in routes:
            return Truth(False, {})
        if test is None:
            return Truth(True, {said: f"{self.catalogue.get(dose.drug_id).name} {dose.route}"})
        return self._sized(test, dose.dose, dose.unit, {said: str(dose)})

    def _sized(self, test: DoseTest, dose: float | None, unit: str | None, evidence: Evidence) -> Truth:
        """A test of a dose; per kg it needs the weight, and an infusion is not measured in bolus units."""
        if dose is None or unit is None:
            return Truth(None, evidence, ("dose",))
        if "/kg" in test.unit and "/kg" not in unit:
            weight = self.chart.value("weight_kg")
            weights = list(ADULT_WEIGHTS_KG) if weight is None else [float(weight)]
            evidence = evidence if weight is None else {**evidence, "weight_kg": weight}
        else:
            weights = []
        try:
            said = {test.holds(value) for value in _in_unit(dose, unit, test.unit, weights)}
        except DoseError:
            return Truth(False, evidence)
        return Truth(said.pop(), evidence) if len(said) == 1 else Truth(None, evidence, ("weight_kg",))

    def on(
        self, taken: Taken | None, rule: Rule, routes: tuple[str, ...] | None, test: DoseTest | None
    ) -> Truth:
        """Whether the patient is on a partner: sure of the drug, its route, its dose, and not washed out."""
        if taken is None:
            return Truth(None, {}, ("medications",))
        evidence: dict[str, Value | str] = {"takes": taken.text}
        if taken.hours_ago:
            evidence["last_taken_hours_ago"] = taken.hours_ago
        if self.washed_out(taken, rule.within_half_lives, rule.within_h):
            return Truth(False, evidence)
        missing = [] if taken.sure else [f"medications: which drug is {taken.text!r}?"]
        if routes is not None:
            if taken.route is None:
                missing.append(f"medications: route of {taken.text}")
            elif taken.route not in routes:
                return Truth(False, evidence)
        if test is not None:
            sized = self._sized(test, taken.dose, taken.unit, evidence)
            if sized.value is False:
                return sized
            if sized.value is None:
                missing.append(f"medications: dose of {taken.text}")
        return Truth(None if missing else True, evidence, tuple(missing))

    def washed_out(self, taken: Taken, half_lives: float = HALF_LIVES, hours: float | None = None) -> bool:
        """Whether a medication was stopped so long ago that it counts no more."""
        if taken.hours_ago is None:
            return False
        if hours is not None:
            return taken.hours_ago > hours
        half_life_h = self.catalogue.get(taken.drug_id).longest_half_life_h
        return half_life_h is not None and taken.hours_ago > half_lives * half_life_h

    def allergic(self, rule: Rule, drug_id: str) -> Truth:
        """Whether an allergy on record is one the rule means; ALWAYS for a rule that means none."""
        if not rule.allergens:
            return ALWAYS
        if self.allergies is None:
            return Truth(None, {}, ("allergies",))
        for substance, drugs in self.allergies:
            for allergen in rule.allergens:
                if allergen == "itself":
                    hit = drug_id in drugs
                elif allergen == "same_class":
                    hit = any(
                        {drug_id, *drugs} <= self.catalogue.members(name) and drugs for name in rule.drugs
                    )
                elif allergen in self.catalogue.classes:
                    hit = bool(drugs & self.catalogue.members(allergen))
                else:
                    hit = allergen in substance.lower()
                if hit:
                    return Truth(True, {"allergy": substance})
        return Truth(False, {})


def _in_unit(dose: float, unit: str, target: str, weights_kg: Sequence[float]) -> list[float]:
    """The dose in a unit; with weights, per kg at each of them."""
    if not weights_kg:
        return [convert_dose(dose, unit, target)]
    amount, *per = unit.split("/")
    return [convert_dose(dose / weight, "/".join((amount, "kg", *per)), target) for weight in weights_kg]


def read_allergies(patient: Patient | None, catalogue: Catalogue) -> Allergies | None:
    """Substances with the drugs they may be; None when no list of allergies was given."""
    if patient is None or patient.allergies is None:
        return None
    return [(entry.substance, substances(entry.substance, catalogue)) for entry in patient.allergies]
