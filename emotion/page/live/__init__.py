"""What the page shows of votes: the label, the ballots, the probabilities and, of a video, its last minute.

Begin with `panel.show_vote` and `panel.show_live`; `told` has the words, `panel.js` draws them.
"""
