"""VGGish (Hershey et al. 2017): 128 features of a second, with which the paper mines its data."""
