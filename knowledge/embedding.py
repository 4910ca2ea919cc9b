"""An embedding of our own: no network, no model file, the same vector for the same text for ever.

Words and their trigrams are hashed into the first HASHED axes; each thing of the knowledge base (a drug
by any of its names, a class, a diagnosis) has an axis of its own behind them. So "Calan" lies near
"verapamil", "infarct" near "myocardial infarction", and a misspelt word near itself.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from knowledge.diagnoses import diagnoses_in, load_diagnoses
from knowledge.drugs import EVERY, Catalogue
from knowledge.labs import LABS
from knowledge.names import find_drugs_in

VERSION = "2"  # part of the index's hash: raise it when vectors change
HASHED = 1024
_WORD, _TRIGRAM, _DRUG, _CLASS, _DIAGNOSIS = 1.0, 0.15, 3.0, 1.2, 1.5
_STOP = frozenset(
    {
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "give",
        "given",
        "has",
    }
    | {
        "have",
        "how",
        "i",
        "if",
        "in",
        "is",
        "it",
        "may",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "patient",
    }
    | {
        "patients",
        "should",
        "so",
        "take",
        "than",
        "that",
        "the",
        "their",
        "there",
        "this",
        "to",
        "was",
        "what",
    }
    | {"when", "which", "who", "why", "with", "would"}
)
# What people call things that the rules name otherwise.
_SYNONYMS = {
    "infarct": "myocardial infarction",
    "infarction": "myocardial infarction",
    "mi": "myocardial infarction",
    "kidney": "renal",
    "kidneys": "renal",
    "liver": "hepatic",
    "hypokalemia": "potassium low",
    "hypokalaemia": "potassium low",
    "hyperkalemia": "potassium high",
    "hyperkalaemia": "potassium high",
    "wpw": "accessory pathway pre-excited",
    "afib": "atrial fibrillation",
    "af": "atrial fibrillation",
    "lung": "asthma bronchospasm pulmonary",
    "pregnancy": "pregnant",
    "nausea": "antiemetic",
    "slow": "bradycardia",
    "ef": "ejection fraction heart failure",
    "interact": "interaction",
    "interacts": "interaction",
    "interactions": "interaction",
    "avoid": "contraindicated",
}


class OwnEmbedding:
    """The embedding of this module, over one catalogue."""

    name = f"own embedding {VERSION}"

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def embed(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Unit vectors of texts: (text, axis)."""
        return embed(texts, self._catalogue)


def embed(texts: Iterable[str], catalogue: Catalogue) -> NDArray[np.float32]:
    """Unit vectors of texts: (text, axis). An empty text gives the first axis, never NaN."""
    axes = _axes(catalogue)
    rows = [_vector(text, catalogue, axes) for text in texts]
    return np.stack(rows) if rows else np.zeros((0, HASHED + len(axes)), np.float32)


def _axes(catalogue: Catalogue) -> dict[str, int]:
    """The axis of each drug, class and diagnosis."""
    drugs = sorted(f"drug {drug.id}" for drug in catalogue)
    classes = sorted(f"class {name}" for name in (*catalogue.classes, EVERY))
    things = (*drugs, *classes, *(f"diagnosis {name}" for name in sorted(load_diagnoses())))
    return {thing: HASHED + at for at, thing in enumerate(things)}


def _vector(text: str, catalogue: Catalogue, axes: Mapping[str, int]) -> NDArray[np.float32]:
    vector = np.zeros(HASHED + len(axes), np.float32)
    for feature, weight in _features(text, catalogue):
        if feature in axes:
            vector[axes[feature]] += weight
        else:
            digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "big")
            vector[digest % HASHED] += weight if digest >> 63 else -weight
    length = float(np.linalg.norm(vector))
    if length == 0:
        vector[0] = 1.0
        return vector
    return vector / np.float32(length)


def facts_asked(text: str) -> frozenset[str]:
    """The facts of rules that a question is about: diagnoses and labs, by what people call them, too."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    # "Why no flecainide after an infarct?" denies no infarct.
    said = " ".join(word for word in words if word not in ("no", "not", "without"))
    said += "".join(f". {_SYNONYMS[_stem(word)]}" for word in words if _stem(word) in _SYNONYMS)
    # Digoxin is a drug before it is a level.
    named = (lab for name, lab in LABS.items() if name != "digoxin" and name.replace("_", " ") in said)
    labs = {lab.fact for lab in named}
    renal = {"crcl_ml_min", "crcl_ml_min_173"} if "renal" in said else set()
    return diagnoses_in(None, said) | labs | renal


def _features(text: str, catalogue: Catalogue) -> Iterator[tuple[str, float]]:
    words = [_stem(word) for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in _STOP]
    words += [_stem(word) for plain in list(words) for word in _SYNONYMS.get(plain, "").split()]
    for word in dict.fromkeys(words):
        yield f"word {word}", _WORD
        for at in range(len(word) - 2):
            yield f"trigram {word[at : at + 3]}", _TRIGRAM
    drugs = {mention.drug.id for mention in find_drugs_in(text, catalogue)}
    for drug_id in sorted(drugs):
        yield f"drug {drug_id}", _DRUG
        for name in catalogue.classes_of(drug_id):
            yield f"class {name}", _CLASS / 4
    for name, entry in catalogue.classes.items():
        if name.replace("_", " ") in text.lower() or entry.text.lower() in text.lower():
            yield f"class {name}", _CLASS
    for name in sorted(diagnoses_in(None, text)):
        yield f"diagnosis {name}", _DIAGNOSIS


def _stem(word: str) -> str:
    """Plurals and their singular are one word."""
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word
