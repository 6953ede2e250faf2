"""The personal model of one infant: how it usually cries, and how far a cry is from that."""
