"""What a question mentions is read as written: each dose with its own drug, and no number passed over."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.planning.reading import read_question
from agent.planning.understanding import understand
from agent.planning.vocabulary import shared_vocabulary
from knowledge.doses import parse_action
from knowledge.drugs import Drug, DrugRoute

WORDS = shared_vocabulary()
GIVABLE = [(drug, route) for drug in WORDS.catalogue.drugs for route in drug.routes]
PLAIN = [(drug, route) for drug, route in GIVABLE if "/" not in route.unit]
one = st.sampled_from(PLAIN)
amount = st.sampled_from(["0.25", "1", "2.5", "40", "120", "500"])


def said(drug: Drug, route: DrugRoute, dose: str, *, dose_first: bool) -> str:
    phrase = f"{dose} {route.unit} {drug.name}" if dose_first else f"{drug.name} {dose} {route.unit}"
    return f"{phrase} {route.route}"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(one, amount, st.booleans())
def test_a_dose_stays_with_its_drug(given_one: tuple[Drug, DrugRoute], dose: str, dose_first: bool) -> None:
    drug, route = given_one
    reading = read_question(f"What if I give {said(drug, route, dose, dose_first=dose_first)}?", WORDS)
    (found,) = reading.actions
    assert found.drug_id == drug.id
    assert [float(text.split()[0]) for text in found.doses] == [float(dose)]
    assert found.route in (route.route, None) or route.route not in ("oral", "iv", "iv infusion")
    assert reading.loose == reading.loose_doses == ()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(one, one, amount, amount, st.booleans())
def test_two_doses_stay_with_their_two_drugs(
    first: tuple[Drug, DrugRoute], second: tuple[Drug, DrugRoute], a: str, b: str, dose_first: bool
) -> None:
    phrases = [said(*pair, dose, dose_first=dose_first) for pair, dose in ((first, a), (second, b))]
    reading = read_question(f"Compare {phrases[0]} and {phrases[1]}", WORDS)
    found = [(drug.drug_id, [float(text.split()[0]) for text in drug.doses]) for drug in reading.actions]
    assert found == [(first[0].id, [float(a)]), (second[0].id, [float(b)])]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(GIVABLE))
def test_the_usual_dose_of_every_drug_is_one_the_tools_can_read(given_one: tuple[Drug, DrugRoute]) -> None:
    drug, route = given_one
    usual = WORDS.usual_dose(drug.id, route.route)
    action = parse_action(f"{drug.name} {usual}", WORDS.catalogue)
    assert [dose.drug_id for dose in action.doses] == [drug.id]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(1, 5000), st.sampled_from(WORDS.catalogue.drugs))
def test_a_number_without_a_unit_is_asked_about(number: int, drug: Drug) -> None:
    understood = understand(f"What would {number} {drug.name} do?", [], WORDS)
    assert understood.calls == ()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=120))
def test_no_text_breaks_the_reading(text: str) -> None:
    understood = understand(text, [], WORDS)
    assert understood.calls or understood.reply
