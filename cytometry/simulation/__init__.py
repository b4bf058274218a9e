"""Synthetic samples and studies whose truth is known. Everything here is invented; effect sizes are assumptions."""
