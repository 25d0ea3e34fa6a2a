"""The part "Your face": examples of one person, taken, tried, used, saved. Begin with `part.show_face`.

`examples` is what is kept of a visitor, `webcam` takes frames, `use` says whose models vote on the other parts.
"""
