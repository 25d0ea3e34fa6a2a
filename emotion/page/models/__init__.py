"""Which models vote, and what they are: for people first, then, folded up, the whole card. Begin with `part`."""

from emotion.page.models.choice import choose_models
from emotion.page.models.part import show_models

__all__ = ["choose_models", "show_models"]
