"""Tool: whether what the program stands on is there: packages, weights, knowledge."""

import platform
from importlib.metadata import PackageNotFoundError, version

from knowledge.errors import KnowledgeError
from tools.results import Result
from worldmodel.errors import WorldModelError

PROGRAM = "ecgwm-agent"
PACKAGES = ("numpy", "scipy", "torch", "wfdb", "chromadb", "langgraph", "langchain-openai", "matplotlib")
REINSTALL = "Install the program again: pip install . in its folder."


class Check(Result):
    """One thing looked at; fix says what to do, "" where nothing is wrong."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def check_health() -> tuple[Check, ...]:
    """Packages, weights with their hash, and the knowledge base with its search index."""
    return (_python(), *map(_package, (PROGRAM, *PACKAGES)), _weights(), _knowledge(), _search_index())


def _python() -> Check:
    return Check(name="python", ok=True, detail=f"{platform.python_version()} on {platform.platform()}")


def _package(name: str) -> Check:
    try:
        return Check(name=name, ok=True, detail=version(name))
    except PackageNotFoundError:
        return Check(name=name, ok=False, detail="not installed", fix=REINSTALL)


def _weights() -> Check:
    from tools.model import shared_model

    try:
        info = shared_model().info
    except WorldModelError as error:
        return Check(name="weights", ok=False, detail=error.message, fix=error.hint or REINSTALL)
    detail = f"{info.name} {info.version}, sha256 {info.sha256}, trained on {info.trained_on}"
    return Check(name="weights", ok=True, detail=detail)


def _knowledge() -> Check:
    from tools.knowledge import check_knowledge

    try:
        found = check_knowledge()
    except KnowledgeError as error:
        return Check(name="knowledge", ok=False, detail=error.message, fix=error.hint or REINSTALL)
    return Check(name="knowledge", ok=True, detail=f"{found.drugs} drugs, {found.rules} rules")


def _search_index() -> Check:
    from tools.knowledge import search_knowledge

    try:
        hits = search_knowledge("QT prolongation", n=1).hits
    except KnowledgeError as error:
        return Check(name="search index", ok=False, detail=error.message, fix=error.hint)
    if not hits:
        return Check(name="search index", ok=False, detail="finds nothing", fix=REINSTALL)
    return Check(name="search index", ok=True, detail="opens and finds")
