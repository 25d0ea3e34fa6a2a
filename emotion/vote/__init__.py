"""Face vectors in, votes out: five models give their ballots, a majority and a probability become one `Vote`.

Begin with `loading.load_models` and `ensemble.Ensemble.vote`; `voting` has the rules; `recognizer` leads from a
picture to its votes.
"""
