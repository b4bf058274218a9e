from __future__ import annotations

import io

import numpy as np

from cytometry.plotting.png import density_png


def decoded(png: bytes) -> np.ndarray:
    """Pixels by another decoder (Pillow): rows from above, RGBA."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def test_bins_are_where_a_reader_expects_them() -> None:
    histogram = np.zeros((5, 3), dtype=int)
    histogram[4, 0] = 7
    pixels = decoded(density_png(histogram))
    assert pixels.shape == (3, 5, 4)
    # Last column of x, first row of y: right, at the bottom.
    drawn = np.argwhere(pixels[:, :, 3] > 0)
    assert drawn.tolist() == [[2, 4]]


def test_fuller_bins_are_darker_and_empty_bins_are_clear() -> None:
    histogram = np.array([[0, 1, 10, 100, 1000]])
    pixels = decoded(density_png(histogram))[::-1, 0]
    assert pixels[0, 3] == 0
    lightness = pixels[1:, :3].sum(axis=1)
    assert (np.diff(lightness.astype(int)) < 0).all()


def test_the_same_counts_give_the_same_bytes() -> None:
    histogram = np.random.default_rng(1).poisson(1.0, (96, 96))
    assert density_png(histogram) == density_png(histogram.copy())


def test_an_empty_histogram_is_an_empty_picture() -> None:
    assert (decoded(density_png(np.zeros((4, 4))))[:, :, 3] == 0).all()
