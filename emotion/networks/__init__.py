"""Faces in, embedding networks out: how those that ship were trained, and how to train others. Needs PyTorch.

Begin with `network_training.train_networks`; `designs` says what each network is made of.
"""
