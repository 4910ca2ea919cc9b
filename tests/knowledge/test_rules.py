"""Every rule does what its own examples say: it fires, keeps silent, or asks for what is missing."""

from collections.abc import Callable

import pytest

from knowledge.errors import CatalogueError
from knowledge.mask import FiredRule
from knowledge.rules import Example, Rule, load_rules, read_rules

RULES = load_rules()


def outcome(rule: Rule, example: Example, bedside: Callable[..., object]) -> FiredRule | None:
    """What the rule says to its example; rules that only want a list are gathered under the list's name."""
    case = bedside(
        taking=example.taking,
        has=example.has,
        lacks=example.lacks,
        allergic=example.allergic,
        patient=example.patient,
        labs=example.labs,
        ecg=example.ecg,
    )
    verdict = case.judge(example.give)  # type: ignore[attr-defined]
    for fired in verdict.rules:
        if fired.id == rule.id or (
            fired.id.startswith("D-") and rule.id in str(fired.evidence["rules"]).split(", ")
        ):
            return fired
    return None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_fires_where_it_says_so(rule: Rule, bedside: Callable[..., object]) -> None:
    fired = outcome(rule, rule.examples.fires, bedside)
    assert fired is not None
    assert bool(fired.missing) == bool(rule.needs)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_keeps_silent_where_it_says_so(rule: Rule, bedside: Callable[..., object]) -> None:
    assert outcome(rule, rule.examples.silent, bedside) is None


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.examples.unknown], ids=lambda rule: rule.id)
def test_a_rule_names_what_it_lacks(rule: Rule, bedside: Callable[..., object]) -> None:
    assert rule.examples.unknown is not None
    fired = outcome(rule, rule.examples.unknown, bedside)
    assert fired is not None
    assert fired.missing


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("when: potasium_mmol_l < 3", "no fact is called 'potasium_mmol_l'"),
        ("when: __import__('os')", "uses"),
        ("when: potassium_mmol_l <", "invalid syntax"),
        ("dose: a lot", "no test of a dose"),
        ("severity: X", "severity"),
        ("colour: red", "colour"),
    ],
)
def test_a_malformed_rule_is_refused_by_name(tmp_path, change: str, said: str) -> None:  # type: ignore[no-untyped-def]
    key = change.split(":")[0]
    lines = [
        "rules:",
        "- id: X1",
        "  kind: lab",
        "  text: t",
        "  drugs: [heparin]",
        "  source: s",
        "  source_type: policy",
        "  confidence: policy",
        "  examples: {fires: {give: a}, silent: {give: a}}",
        *([] if key == "severity" else ["  severity: B"]),
        f"  {change}",
    ]
    (tmp_path / "rules.yaml").write_text("\n".join(lines))
    with pytest.raises(CatalogueError, match="X1") as refused:
        read_rules(tmp_path)
    assert said in refused.value.message


def test_two_rules_of_one_id_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    rule = (
        "- {id: X1, kind: lab, severity: B, text: t, drugs: [heparin], source: s, source_type: policy, "
        "confidence: policy, examples: {fires: {give: a}, silent: {give: a}}}\n"
    )
    (tmp_path / "rules.yaml").write_text(f"rules:\n{rule}{rule}")
    with pytest.raises(CatalogueError, match="X1"):
        read_rules(tmp_path)


RULE = (
    "- {{id: {id}, kind: lab, severity: {severity}, text: t, drugs: [heparin], source: s, source_type: policy, "
    "confidence: policy, examples: {{fires: {{give: a}}, silent: {{give: a}}}}}}\n"
)


def test_two_rules_that_contradict_each_other_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = RULE.format(id="X1", severity="B") + RULE.format(id="X2", severity="C")
    (tmp_path / "rules.yaml").write_text(f"rules:\n{text}")
    with pytest.raises(CatalogueError, match="X1 and X2 contradict"):
        read_rules(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "- a list", "rules: 5", "rules: []\nsources: 5", "rules: [\n- {", "\0"]
)
def test_a_file_that_is_no_list_of_rules_is_refused_by_name(tmp_path, content: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "rules.yaml").write_text(content)
    with pytest.raises(CatalogueError, match=r"rules\.yaml"):
        read_rules(tmp_path)


def test_a_rule_without_an_unknown_case_reads_nothing_that_can_be_unknown() -> None:
    """Only the dose or the age, what makes an ECG needed elsewhere, or a rule about what is not known."""
    for rule in RULES:
        if rule.examples.unknown is None:
            condition = rule.condition()
            told = {
                "age_years",
                "ecg_seen",
                "hr_bpm",
                "pacemaker",
                "continuous_ecg_refused",
                "st_elevation_seen",
            }
            assert rule.needs or not rule.partners, rule.id
            assert not condition or condition.facts <= told, rule.id
