"""An embedding by a server that speaks OpenAI's protocol, where the user has configured one.

ECGWM_EMBEDDING_MODEL names the model, ECGWM_EMBEDDING_URL the server (else OPENAI_BASE_URL, else OpenAI's), and
ECGWM_EMBEDDING_API_KEY or OPENAI_API_KEY the key. The server then sees the knowledge base and every question that
is searched for; without a model nothing leaves this machine.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import StoreError

BATCH = 100
_HINT = "Check ECGWM_EMBEDDING_MODEL and ECGWM_EMBEDDING_URL, or unset the model for the embedding built in."


@dataclass(frozen=True)
class Endpoint:
    """A model on a server. url None: OpenAI's."""

    model: str
    url: str | None = None
    key: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What tells its vectors from those of another model; part of the index's hash."""
        return f"{self.model} at {self.url or 'openai'}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of texts: (text, axis). Raises StoreError."""
        from openai import OpenAI, OpenAIError

        try:
            # A server of one's own may want no key; the client wants one always.
            client = OpenAI(base_url=self.url, api_key=self.key or "none", max_retries=1, timeout=60)
            vectors = [
                found.embedding
                for at in range(0, len(texts), BATCH)
                for found in client.embeddings.create(
                    model=self.model, input=list(texts[at : at + BATCH]), encoding_format="float"
                ).data
            ]
            rows = np.array(vectors, np.float32).reshape(len(texts), -1)
        except (OpenAIError, ValueError, TypeError) as error:
            raise StoreError(f"no embedding by {self.name}: {error}", _HINT) from error
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not rows.size or not np.isfinite(rows).all() or not lengths.all():
            raise StoreError(f"no embedding by {self.name}: its vectors are empty", _HINT)
        return np.asarray(rows / lengths, np.float32)


def configured_endpoint() -> Endpoint | None:
    """The endpoint that the environment names; None: the embedding of our own."""
    model = os.environ.get("ECGWM_EMBEDDING_MODEL")
    if not model:
        return None
    url = os.environ.get("ECGWM_EMBEDDING_URL") or os.environ.get("OPENAI_BASE_URL") or None
    key = os.environ.get("ECGWM_EMBEDDING_API_KEY") or os.environ.get("OPENAI_API_KEY") or None
    return Endpoint(model, url, key)
