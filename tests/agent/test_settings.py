"""A flag wins over the environment, that over the file, that over the default; keys stay hidden."""

from pathlib import Path

import pytest

from agent.errors import ConfigurationError
from agent.settings import load_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECGWM_HOME", str(tmp_path))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ECGWM_MODEL", "ECGWM_BASE_URL", "ECGWM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_defaults_ask_for_nothing(home: Path) -> None:
    settings = load_settings()
    assert (settings.model, settings.base_url, settings.key, settings.home) == (None, None, None, home)


def test_the_stronger_source_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config.toml").write_text('model = "file"\nbase_url = "http://file"')
    assert load_settings().model == "file"
    monkeypatch.setenv("ECGWM_MODEL", "environment")
    assert load_settings().model == "environment"
    assert load_settings(model="flag").model == "flag"
    assert load_settings(model=None).base_url == "http://file"


def test_openais_own_variables_are_read_and_ours_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    assert (load_settings().base_url, load_settings().key) == ("http://openai", "sk-1")
    monkeypatch.setenv("ECGWM_BASE_URL", "http://ours")
    assert load_settings().base_url == "http://ours"


def test_a_set_but_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert load_settings().key is None


def test_the_key_is_not_in_the_printed_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert "sk-secret" not in repr(load_settings())


@pytest.mark.parametrize("content", ['modle = "x"', "model = [", "model = 3"])
def test_a_wrong_file_is_one_clear_error(home: Path, content: str) -> None:
    (home / "config.toml").write_text(content)
    with pytest.raises(ConfigurationError) as error:
        load_settings()
    assert error.value.hint
