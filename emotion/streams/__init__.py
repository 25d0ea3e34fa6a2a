"""Frames in, annotated frames and a record of votes over time out.

Begin with `webcam.FaceVideo.recv`, which a webcam's stream calls for each frame; `drawing` draws on still pictures,
too, and `plates` finds where the texts stand. What becomes of a session is in `session`.
"""
