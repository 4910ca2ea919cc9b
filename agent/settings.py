"""Settings: a flag wins over the environment, that over the configuration file, that over the default."""

import os
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any

import typer
from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from agent.errors import ConfigurationError

CONFIG_FILE = "config.toml"


class Settings(BaseSettings):
    """What can be set once.

    model: name of the chat model; "offline" asks for the planner. base_url, api_key: of the server
    that speaks OpenAI's protocol. home: where threads are kept and `config.toml` is looked for.
    """

    model_config = SettingsConfigDict(
        env_prefix="ECGWM_", env_ignore_empty=True, extra="forbid", populate_by_name=True, frozen=True
    )

    model: str | None = None
    base_url: str | None = Field(None, validation_alias=AliasChoices("ECGWM_BASE_URL", "OPENAI_BASE_URL"))
    api_key: SecretStr | None = Field(None, validation_alias=AliasChoices("ECGWM_API_KEY", "OPENAI_API_KEY"))
    home: Path = Field(default_factory=lambda: default_home())

    @property
    def key(self) -> str | None:
        """The key itself, for the client that sends it; it is printed nowhere."""
        return self.api_key.get_secret_value() if self.api_key else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """From the strongest to the weakest: flags, environment, file."""
        file = TomlConfigSettingsSource(settings_cls, toml_file=config_path(init_settings().get("home")))
        return init_settings, env_settings, file


def load_settings(**flags: Any) -> Settings:
    """The settings in force; a flag that is None was not given. Raises ConfigurationError."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ", ".join(Settings.model_fields)
        raise ConfigurationError(f"setting {where!r}: {first['msg']}", f"Known settings: {known}.") from error
    except (TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        file = config_path(given.get("home"))
        raise ConfigurationError(f"{file}: {error}", "Mend or remove the file.") from error


def default_home() -> Path:
    """The folder of this program's own files: ECGWM_HOME, or the place this system has for it."""
    return Path(os.environ.get("ECGWM_HOME") or typer.get_app_dir("ecgwm-agent"))


def config_path(home: Path | str | None = None) -> Path:
    """Where the configuration file is looked for; it need not be there."""
    return Path(home or default_home()) / CONFIG_FILE
