"""The webcam sessions of a visit that have ended, and saved ones that are opened again.

Begin with `earlier.show_sessions`; what a visit keeps is in `kept`, the files that are taken home are in `files`.
"""
