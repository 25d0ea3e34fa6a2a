"""The manifest told in words: tables of what was measured, and the model card. Begin with `text.model_card`."""

from emotion.training.card.tables import PARTS, ROW_NAMES, class_table, elsewhere_table, score_table
from emotion.training.card.text import findings, model_card

__all__ = [
    "PARTS",
    "ROW_NAMES",
    "class_table",
    "elsewhere_table",
    "findings",
    "model_card",
    "score_table",
]
