"""The conversation in a terminal: a prompt, slash commands, and answers. Ctrl-C stops a step, not the session."""

from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from agent.console_answer import print_answer
from agent.console_steps import showing_steps
from agent.errors import ApprovalPending, ProviderError
from agent.redaction import disclosure
from agent.session import Answer, Conversation
from agent.slash import COMMANDS
from agent.toolbox import OWN_ERRORS

RULES_TOLD = 3
WELCOME = "Ask what a drug would do to this ECG. /help shows examples, /quit ends. Research use only."


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
        self.say(WELCOME)
        if said := disclosure(chat, self.conversation.bench):
            self.say(said)
        for turn in self.conversation.turns():
            self.say(f"> {turn.question}", "bold")
            self.say(turn.messages[-1].text)
        self._go_on()
        while True:
            try:
                line = self.read("\n> ").strip()
            except EOFError:
                break
            except KeyboardInterrupt:
                self.say("/quit ends the session.", "dim")
                continue
            if line in ("/quit", "/exit"):
                break
            if line:
                self._handle(line)
        self.say(f"\nResume with: ecgwm-agent chat --thread {self.conversation.thread_id}", "dim")

    def _go_on(self) -> None:
        """Finishes a question at which the program was stopped, or asks again for the approval it waits for."""
        try:
            if self.conversation.waiting():
                self._show(self._decided())
            elif answer := self.conversation.resume():
                self._show(answer)
        except KeyboardInterrupt:
            self.say("Stopped. The thread is kept.", "yellow")
        except OWN_ERRORS as error:
            self.say(f"{error.message}. {error.hint}".replace("..", "."), "red")

    def _handle(self, line: str) -> None:
        """One line: a slash command or a question. What goes wrong is said, and the session goes on."""
        try:
            if line.startswith("/"):
                self._slash(line)
            else:
                self._answer(line)
        except KeyboardInterrupt:
            self.say("Stopped. The thread is kept.", "yellow")
        except OWN_ERRORS as error:
            self.say(f"{error.message}. {error.hint}".replace("..", "."), "red")

    def _answer(self, question: str) -> None:
        with showing_steps() as on_step:
            answer: Answer | None = None
            try:
                try:
                    answer = self.conversation.ask(question, on_step)
                except ProviderError as error:
                    self.say(f"{error.message}. {error.hint} The offline planner answers instead.", "yellow")
                    answer = self.conversation.ask_offline(on_step)
            except ApprovalPending:
                pass
        self._show(answer or self._decided())

    def _decided(self) -> Answer:
        """Asks the person at the terminal what to do with what is blocked, until nothing is; only "yes" approves."""
        while True:
            for verdict in self.conversation.waiting():
                rules = "; ".join(f"{rule['text']} [{rule['id']}]" for rule in verdict["rules"][:RULES_TOLD])
                self.say(f"{verdict['action']['text']} is blocked: {rules}", "yellow")
            self.say("It can be simulated for research only, and is marked in every output.", "yellow")
            try:
                yes = self.read("Approve? yes or no: ").strip().lower() == "yes"
            except EOFError:
                yes = False
            try:
                return self.conversation.decide(yes)
            except ApprovalPending:
                continue

    def _show(self, answer: Answer) -> None:
        self.console.print()
        print_answer(self.console, answer)
        for warning in answer.warnings:
            self.say(f"warning: {warning}", "yellow")

    def _slash(self, line: str) -> None:
        command, _, rest = line.partition(" ")
        known = COMMANDS.get(command)
        if known is None:
            self.say(f"There is no {command}; /help lists what there is.", "yellow")
        elif said := known.run(self, rest.strip()):
            self._answer(said)

    def say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style))
