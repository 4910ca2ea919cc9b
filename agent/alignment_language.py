"""The language model that `align` compares with: a chat model that is asked one question at a time."""

from agent.errors import ConfigurationError
from agent.models import ChatModel, choose_model, provider_errors
from agent.settings import load_settings
from tools.alignment.language import Price, Reply
from tools.alignment.run import Language


def language_named(
    name: str | None, base_url: str | None, price: tuple[float, float], max_cost: float | None, dry_run: bool
) -> Language | None:
    """The chat model of this name as a baseline, None where no name is given. Raises ConfigurationError."""
    if name is None:
        if max_cost is not None or dry_run or any(price):
            raise ConfigurationError(
                "--price, --max-cost and --dry-run speak of a language model, and none is named.",
                "Name it with --language-model.",
            )
        return None
    if max_cost is not None and not any(price):
        raise ConfigurationError(
            "--max-cost needs to know what the model costs.",
            "Give --price IN OUT, in USD for a million tokens.",
        )
    costs = Price(input_usd=price[0], output_usd=price[1])
    if dry_run:  # which needs no key
        return Language(name, _never, costs)
    settings = load_settings(model=name, base_url=base_url)
    chat = choose_model(settings.model, settings.base_url, settings.key)
    if chat.offline:
        raise ConfigurationError(
            "The offline planner ranks nothing by itself.",
            "Name a language model, or leave --language-model out.",
        )
    return Language(chat.name, lambda text: _reply(chat, text), costs, max_cost)


def _reply(chat: ChatModel, text: str) -> Reply:
    """One answer; the client itself tries again where the network or the provider fails for a moment."""
    with provider_errors(chat):
        said = chat.model.invoke(text)
    used = said.usage_metadata
    return Reply(
        said.text if isinstance(said.text, str) else str(said.content),
        used["input_tokens"] if used else 0,
        used["output_tokens"] if used else 0,
    )


def _never(_: str) -> Reply:
    raise AssertionError("a dry run asks nothing")
