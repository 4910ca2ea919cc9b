"""`chat`: the conversation."""

from typing import Annotated

import typer

from agent.options import (
    DEFAULT_K,
    EcgOption,
    FsOption,
    KOption,
    LeadsOption,
    PatientOption,
    SeedOption,
    UnitOption,
    WindowOption,
    stated_facts,
)
from agent.talk_options import BaseUrlOption, ModelOption, RedactFlag, ResearchFlag, ThreadOption


def chat(
    ecg: EcgOption = None,
    patient: PatientOption = None,
    fs: FsOption = None,
    unit: UnitOption = None,
    leads: LeadsOption = None,
    window: WindowOption = None,
    thread: ThreadOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    k: KOption = DEFAULT_K,
    seed: SeedOption = 0,
    redact: RedactFlag = False,
    research: ResearchFlag = False,
    demo: Annotated[bool, typer.Option("--demo", help="Talk about the built-in synthetic patient.")] = False,
) -> None:
    """Talk about what drugs would do to an ECG; the thread is kept and can be resumed."""
    from rich.console import Console

    from agent.cases import BUILT_IN
    from agent.chat import Chat
    from agent.line_reading import line_reader
    from agent.opening import open_conversation
    from agent.settings import load_settings
    from agent.state import CaseReference

    built_in = CaseReference(ecg=BUILT_IN, patient=BUILT_IN) if demo else None
    stated = stated_facts(fs, unit, leads)
    with (
        open_conversation(
            ecg, patient, thread, model, base_url, k, seed, built_in, stated, window, redact, research
        ) as conversation,
        line_reader(load_settings().home) as read,
    ):
        Chat(conversation, Console(), read).run()
