"""The HTML report of a conversation: its last ranking, with the mask behind it and the explanation."""

from pathlib import Path

from agent.errors import AgentError
from agent.session import Conversation


def report_on(conversation: Conversation, path: Path) -> Path:
    """Writes the report of the last ranking. Raises AgentError where there is none yet."""
    from agent.report import write_report
    from tools.mask import mask_actions
    from tools.rank import RankResult

    bench = conversation.bench
    rankings = [result for result in bench.kept if isinstance(result, RankResult)]
    if not rankings:
        raise AgentError("There is no ranking to report yet", "Ask for one first, such as /rank.")
    verdicts = mask_actions(bench.case, goal=rankings[-1].goal)
    return write_report(path, bench.case, verdicts, rankings[-1], conversation.turns()[-1].messages[-1].text)
