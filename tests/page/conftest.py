"""What tests of the page's parts have in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from emotion import config
from tests.tiny_models import write_tiny_models


@pytest.fixture
def tiny_models_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Models of three classes that ship, in a folder of their own, and no others."""
    folder = write_tiny_models(tmp_path / "models")
    monkeypatch.setattr(config, "MODELS", folder)
    monkeypatch.setattr(config, "OWN_MODELS", tmp_path / "my-models")
    monkeypatch.delenv("EMOTION_MODELS", raising=False)
    st.cache_resource.clear()
    yield folder
    st.cache_resource.clear()
