"""A film file -> frames, upright, each with its time. Begin with `opening`; only `inputs` opens films."""
