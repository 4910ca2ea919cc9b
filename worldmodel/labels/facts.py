"""From what is known of a recording to the 17 labels, by the rules of ECG-FM's labels, in one place for all sources.

In these a kind makes its parents true: fibrillation and flutter are tachycardias and, oddly, accessory pathway
conduction; complete block is a bradycardia; bifascicular block is right block with a blocked fascicle; supraventricular
tachycardia with aberrancy is any tachycardia but a ventricular one, with a wide-making block. Three-valued: what is
unknown (None) stays unknown unless something else decides.
"""

from dataclasses import dataclass

Known = bool | None


@dataclass(frozen=True)
class Facts:
    """Of one recording; None is unknown. fast, slow: by rate, above 100 and below 60; right_block, left_block:
    of the bundle branches, incomplete ones too; fascicular: a blocked fascicle; infarction: of any age."""

    sinus: Known = None
    fibrillation: Known = None
    flutter: Known = None
    fast: Known = None
    slow: Known = None
    ventricular_ectopy: Known = None
    ventricular_tachycardia: Known = None
    supraventricular_tachycardia: Known = None
    aberrancy: Known = None
    preexcitation: Known = None
    block_1: Known = None
    block_2: Known = None
    block_3: Known = None
    fascicular: Known = None
    right_block: Known = None
    left_block: Known = None
    infarction: Known = None
    pacing: Known = None
    poor_quality: Known = None


def labels_of(f: Facts) -> tuple[Known, ...]:
    """The 17 labels in the order of LABELS."""
    atrial = any_of(f.fibrillation, f.flutter)
    tachycardia = any_of(f.fast, atrial, f.supraventricular_tachycardia)
    wide = any_of(f.aberrancy, f.right_block, f.left_block)
    return (
        f.poor_quality,
        f.sinus,
        f.ventricular_ectopy,
        any_of(tachycardia, f.ventricular_tachycardia),
        f.ventricular_tachycardia,
        all_of(tachycardia, wide, not_(f.ventricular_tachycardia)),
        f.fibrillation,
        f.flutter,
        any_of(f.slow, f.block_3),
        any_of(f.preexcitation, atrial),
        any_of(f.block_1, f.block_2, f.block_3),
        f.block_1,
        all_of(f.right_block, f.fascicular),
        f.right_block,
        f.left_block,
        f.infarction,
        f.pacing,
    )


def any_of(*facts: Known) -> Known:
    """True if one is, else unknown if one is, else False."""
    return True if True in facts else None if None in facts else False


def all_of(*facts: Known) -> Known:
    """False if one is, else unknown if one is, else True."""
    return False if False in facts else None if None in facts else True


def not_(fact: Known) -> Known:
    """The opposite of what is known."""
    return None if fact is None else not fact
