"""What the notebooks show: what is in the data, what choices do, and how good models are.

Begin with `places.places`; each cell of a notebook calls one function of `pictures`, `choices`, `results`, `personal`.
"""
