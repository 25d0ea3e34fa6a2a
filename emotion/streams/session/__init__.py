"""What becomes of a session: marks and pauses in it, its table, a file that opens again, and what its shares are worth.

Begin with `saved.SavedSession`, which holds all of a session; `shares` gives intervals, `comparison` sets two sessions
side by side. Nothing here knows of a page.
"""
