"""Mechanistic flow cytometry for clinical trials."""
