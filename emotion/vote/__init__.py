"""Face vectors in, votes out: five models give their ballots, a majority and a probability become one `Vote`.

Begin with `ensemble.load_models` and `Ensemble.vote`; `voting` has the rules; `recognizer` leads from a picture to
its votes.
"""
