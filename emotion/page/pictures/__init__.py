"""Pictures of any origin: asked for, shown as a grid, one of them large, its faces to be chosen.

Begin with `part.show_pictures`. What is asked for, and what came of it, is in `asking`; how pictures and faces are
drawn and chosen by a press, in `results` and `choosing`; why a vote is as it is, in `reason`.
"""

from emotion.page.pictures.asking import answered, ask_for
from emotion.page.pictures.part import show_pictures
from emotion.page.pictures.results import show_picture

__all__ = ["answered", "ask_for", "show_picture", "show_pictures"]
