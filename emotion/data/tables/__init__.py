"""Tables on disk, however they are called and written -> their rows, and faces -> tables.

Begin with `rows.face_batches` and `writing.face_writer`; `opening.text_rows` is for tables of votes and boxes.
"""
