"""Folders of pictures, as people and authors of data sets have them -> which pictures there are, and what they show.

Begin with `listing.picture_files`; `arrived` sorts what a download has brought.
"""
