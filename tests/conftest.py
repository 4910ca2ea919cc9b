"""The user's own files stay out of every test, and the tests' out of the user's folders."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """ECGWM_HOME is a folder of this session's; imported rules of the user's would change verdicts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECGWM_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("ECGWM_EMBEDDING_MODEL", raising=False)
        yield
