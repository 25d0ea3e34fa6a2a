"""Five models that know one person.

Begin with `learning.personal`; `examples` makes what it takes, writes it to a file, and reads it; `trial`
says what was gained.
"""
