"""The HTML report of a conversation: its last ranking, with the mask behind it and the explanation."""

from pathlib import Path

from agent.errors import AgentError
from agent.session import Conversation


def report_on(conversation: Conversation, path: Path) -> Path:
    """Writes the report of the last ranking. Raises AgentError where there is none yet."""
    from agent.report import write_report
    from tools.mask import mask_actions

    bench = conversation.bench
    if bench.ranking is None:
        raise AgentError("There is no ranking to report yet", "Ask for one first, such as /rank.")
    answers = [turn.messages[-1].text for turn in conversation.turns() if "rank" in dict(turn.calls)]
    verdicts = mask_actions(bench.case, goal=bench.ranking.goal)
    return write_report(path, bench.case, verdicts, bench.ranking, answers[-1])
