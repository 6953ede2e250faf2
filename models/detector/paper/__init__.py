"""The experiments of Tan, Yao and Liu (2023), tables 2 to 5, on our corpus.

What ships is trained by `models/detector/train.py`; nothing here is needed to run it.
"""
