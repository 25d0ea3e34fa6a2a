"""Films: from a file to its frames, to the faces in them, to votes over time. Begin with `opening`; `watching` is the
way from frames to votes.
"""
