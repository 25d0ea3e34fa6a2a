"""Tables of faces in; five fitted models as checked ONNX files, with manifest, card and reports, out.

Begin with `emotion.training.training.train`; `recipes` says what each model is made of.
"""
