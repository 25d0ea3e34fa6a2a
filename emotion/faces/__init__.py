"""Bytes in, faces out: pictures are fetched and decoded, faces found, cut out and made into face vectors.

Begin with `crop.find_faces`, the one way from a picture to face vectors. `tracking` tells which face of a video's frame
is which face of the frames before.
"""
