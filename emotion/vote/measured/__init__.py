"""How good models are, as their manifest says it. Begin with `reading.measured`."""
