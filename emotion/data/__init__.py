"""Pictures and tables on disk in; labelled faces in memory, split into training, validation and test rows, out.

Begin with `vectorize.vectorize` (pictures -> table), `dataset.read_faces` (table -> memory) and
`splitting.split_faces`. `tables` reads files however they are written; `embedding` makes features of
faces by networks on disk.
"""
