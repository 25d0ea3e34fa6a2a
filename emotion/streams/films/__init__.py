"""Films: from a file to the faces in it, and to votes over time. Begin with `watching`; `reading` gives the frames."""
