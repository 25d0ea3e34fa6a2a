"""What files are, by their first bytes, and what becomes of those that are not looked at.

Begin with `kinds.kind_of`: one rule for what is a picture, asked by whoever takes files.
"""
