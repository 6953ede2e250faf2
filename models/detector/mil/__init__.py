"""Multiple-instance learning: a network that learns seconds from labels of whole recordings.

Tan, Yao and Liu (2023), sections 3.1 and 3.2, after Sultani, Chen and Shah (2018) and Tian et al.
(2021), "Weakly-supervised Video Anomaly Detection with Robust Temporal Feature Magnitude
Learning" (RTFM). A recording is a bag; it is abnormal if one of its instances is.
"""
