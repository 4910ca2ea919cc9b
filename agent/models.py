"""Which chat model answers: ChatOpenAI for OpenAI and whatever speaks its protocol, or the offline planner."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlparse

from langchain_core.language_models.chat_models import BaseChatModel

from agent.errors import ConfigurationError, ProviderError
from agent.planner import OfflinePlanner

OFFLINE = "offline-planner"
DEFAULT_REMOTE = "gpt-4.1-mini"
TIMEOUT_S = 60.0
RETRIES = 2
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class ChatModel:
    """A chat model with the name that goes into the audit trail, and the host that reads the questions."""

    model: BaseChatModel
    name: str
    host: str | None = None

    @property
    def offline(self) -> bool:
        """Whether the planner answers, and so nothing leaves this machine."""
        return self.host is None


def offline_planner() -> ChatModel:
    """The deterministic planner: no key, no network."""
    return ChatModel(OfflinePlanner(), OFFLINE)


def choose_model(
    name: str | None = None, base_url: str | None = None, api_key: str | None = None
) -> ChatModel:
    """The chat model for these settings: the planner unless a key, a base URL or another name is given.

    `name` "offline" asks for the planner whatever else is set. Raises ConfigurationError.
    """
    if name in ("offline", OFFLINE) or not (name or base_url or api_key):
        return offline_planner()
    if base_url and urlparse(base_url).scheme not in ("http", "https"):
        raise ConfigurationError(
            f"{base_url!r} is not the address of a server", "Give --base-url as in http://localhost:11434/v1."
        )
    if not (base_url or api_key):
        raise ConfigurationError(
            f"the model {name!r} needs a key", "Set OPENAI_API_KEY, give --base-url, or use --model offline."
        )
    return _chat_openai(name or DEFAULT_REMOTE, base_url, api_key)


def _chat_openai(name: str, base_url: str | None, api_key: str | None) -> ChatModel:
    os.environ.setdefault("LANGSMITH_TRACING", "false")  # a record leaves this machine only for the model
    import httpx
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    host = urlparse(base_url).hostname if base_url else "api.openai.com"
    model = ChatOpenAI(
        model=name,
        base_url=base_url,
        api_key=SecretStr(api_key or "not-needed"),
        use_responses_api=False if base_url else None,
        stream_usage=True,
        timeout=TIMEOUT_S,
        max_retries=RETRIES,
        # A proxy of the environment cannot reach a server on this machine.
        http_client=httpx.Client(trust_env=False, timeout=TIMEOUT_S) if host in _LOOPBACK else None,
    )
    return ChatModel(model, name, host)


@contextmanager
def provider_errors(chat: ChatModel) -> Iterator[None]:
    """Whatever fails while a remote model is called becomes one ProviderError with a line for the user."""
    try:
        yield
    except Exception as error:
        if chat.offline:
            raise
        raise ProviderError(_reason(error, chat), _remedy(error)) from error


def _reason(error: Exception, chat: ChatModel) -> str:
    import openai

    where = f"the model {chat.name!r} at {chat.host}"
    if isinstance(error, openai.APITimeoutError):
        return f"{where} did not answer within {TIMEOUT_S:g} s"
    if isinstance(error, openai.APIConnectionError):
        return f"{where} cannot be reached"
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return f"{where} refused the key"
    if isinstance(error, openai.RateLimitError):
        return f"{where} refused the call: too many calls, or the quota is used up"
    if isinstance(error, openai.APIStatusError):
        return f"{where} answered with status {error.status_code}: {_short(error.message)}"
    return f"{where} gave an answer that cannot be read: {_short(str(error))}"


def _remedy(error: Exception) -> str:
    import openai

    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return "Check OPENAI_API_KEY, or use --model offline."
    if isinstance(error, openai.NotFoundError):
        return "Check --model and --base-url (it usually ends in /v1), or use --model offline."
    return "Check --base-url and the server, try again later, or use --model offline."


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else line[:157] + "..."
