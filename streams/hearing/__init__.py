"""From a monitor's chunks to scored seconds, segments and embeddings, without a broker."""
