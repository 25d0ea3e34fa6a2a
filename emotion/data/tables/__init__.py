"""Tables on disk, however they are called and written -> their rows.

Begin with `rows.face_batches`; `opening.text_rows` is for tables of votes and boxes.
"""
