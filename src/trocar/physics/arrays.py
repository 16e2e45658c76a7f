"""A medium's arrays as kernels read them: contiguous, float32, with its walls marked; nothing is copied that fits."""

from typing import NamedTuple, Self

import numpy as np

from trocar.physics.enthalpy import Flat
from trocar.physics.medium import Array, Medium

FREE, HELD, WALL = 0, 1, 2  # a cell whose temperature moves, one that keeps its own, and one kept at rest


class Tissue(NamedTuple):
    """[i, j, k] arrays of a medium within walls at rest; `outside` and `vapor_J` are empty where there is none."""

    warm_W: Flat  # conductivities, W/mK: unfrozen and frozen
    cold_W: Flat
    warm_J: Flat  # heat capacities, J/m3K
    cold_J: Flat
    latent_J: Flat
    vapor_J: Flat
    perfusion_W: Flat
    held: Flat  # uint8: `FREE`, `HELD` or `WALL`
    held_degC: Flat
    outside: Flat

    @classmethod
    def of(cls, medium: Medium) -> Self:
        """The arrays of a medium, with walls across every axis that is not insulated."""
        none = np.zeros((0, 0, 0), np.float32)
        held = np.ascontiguousarray(medium.held).astype(np.uint8)
        for axis in set(range(3)) - set(medium.insulated):
            for index in (0, 1, -2, -1):
                layer = held[tuple(index if a == axis else slice(None) for a in range(3))]
                layer[layer == FREE] = WALL
        return cls(
            _whole(medium.unfrozen_W_per_mK), _whole(medium.frozen_W_per_mK), _whole(medium.unfrozen_J_per_m3K),
            _whole(medium.frozen_J_per_m3K), _whole(medium.latent_J_per_m3),
            none if medium.vapor_J_per_m3 is None else _whole(medium.vapor_J_per_m3),
            _whole(medium.perfusion_W_per_m3K), held, _whole(medium.held_degC),
            none.astype(bool) if medium.outside is None else np.ascontiguousarray(medium.outside),
        )  # fmt: skip

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.held.shape


def _whole(values: Array) -> Array:
    return np.ascontiguousarray(values, np.float32)
