"""The conversation in a terminal: a prompt, slash commands, and answers. Ctrl-C stops a step, not the session."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from agent.console_answer import print_answer
from agent.console_steps import showing_steps
from agent.errors import AgentError, ApprovalPending, ProviderError
from agent.planning.understanding import HELP
from agent.redaction import disclosure
from agent.session import Answer, Conversation
from agent.toolbox import OWN_ERRORS

WELCOME = "Ask what a drug would do to this ECG. /help shows examples, /quit ends. Research use only."
SLASH = {
    "/help": "this list, with examples of questions",
    "/measure": "what is measured now",
    "/mask [DRUG]": "which doses are allowed, and why not",
    "/rank [GOAL]": "the candidates, best first",
    "/why DRUG": "why it is excluded",
    "/report FILE": "an HTML report of the last ranking",
    "/thread": "the name of this thread",
    "/quit": "ends; the thread is kept",
}


class Chat:
    """One session at a terminal."""

    def __init__(
        self, conversation: Conversation, console: Console, read: Callable[[str], str] = input
    ) -> None:
        self.conversation = conversation
        self.console = console
        self.read = read

    def run(self) -> None:
        """Reads and answers until the input ends, then says how to come back."""
        chat = self.conversation.chat
        self._say(WELCOME)
        if said := disclosure(chat, self.conversation.bench):
            self._say(said)
        for turn in self.conversation.turns():
            self._say(f"> {turn.question}", "bold")
            self._say(turn.messages[-1].text)
        while True:
            try:
                line = self.read("\n> ").strip()
            except EOFError:
                break
            except KeyboardInterrupt:
                self._say("/quit ends the session.", "dim")
                continue
            if line in ("/quit", "/exit"):
                break
            if line:
                self._handle(line)
        self._say(f"\nResume with: ecgwm-agent chat --thread {self.conversation.thread_id}", "dim")

    def _handle(self, line: str) -> None:
        """One line: a slash command or a question. What goes wrong is said, and the session goes on."""
        try:
            if line.startswith("/"):
                self._slash(line)
            else:
                self._answer(line)
        except KeyboardInterrupt:
            self._say("Stopped. The thread is kept.", "yellow")
        except OWN_ERRORS as error:
            self._say(f"{error.message}. {error.hint}".replace("..", "."), "red")

    def _answer(self, question: str) -> None:
        with showing_steps() as on_step:
            try:
                answer = self.conversation.ask(question, on_step)
            except ApprovalPending as waiting:
                answer = self._decided(waiting)
            except ProviderError as error:
                self._say(f"{error.message}. {error.hint} The offline planner answers instead.", "yellow")
                answer = self.conversation.ask_offline(on_step)
        self._show(answer)

    def _decided(self, waiting: ApprovalPending) -> Answer:
        """Asks the person at the terminal; only "yes" approves."""
        self._say(f"{waiting.message}.", "yellow")
        return self.conversation.decide(self.read("Approve? yes or no: ").strip().lower() == "yes")

    def _show(self, answer: Answer) -> None:
        self.console.print()
        print_answer(self.console, answer)
        for warning in answer.warnings:
            self._say(f"warning: {warning}", "yellow")

    def _slash(self, line: str) -> None:
        command, _, rest = line.partition(" ")
        questions = {
            "/measure": "What is measured?",
            "/mask": f"Is {rest} allowed?" if rest else "",
            "/rank": f"Which drug is safest for {rest}?" if rest else "Rank the candidates.",
            "/why": f"Why is {rest} excluded?",
        }
        if command == "/help":
            self._say(HELP + "\n")
            for name, meaning in SLASH.items():
                self._say(f"{name:14} {meaning}")
        elif command == "/mask" and not rest:
            self._show_mask()
        elif command == "/thread":
            self._say(self.conversation.thread_id)
        elif command == "/report":
            self._write_report(rest)
        elif command in questions:
            self._answer(questions[command])
        else:
            self._say(f"There is no {command}; /help lists what there is.", "yellow")

    def _show_mask(self) -> None:
        from agent.console import print_mask
        from tools.mask import mask_actions

        print_mask(self.console, mask_actions(self.conversation.bench.case))

    def _write_report(self, file: str) -> None:
        if not file:
            raise AgentError("No file was named", "Write /report FILE.html.")
        from agent.reporting import report_on

        self._say(f"Report: {report_on(self.conversation, Path(file))}")

    def _say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style))
