"""What detectors, calibration and drift watch are measured by; the stream needs none of it."""
