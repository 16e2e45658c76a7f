"""What each cell is made of: two tissues of the catalog and the share of the second."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from trocar.catalog.tissues import Tissue, tissues
from trocar.materials.placing import Box
from trocar.model.space import Array


@dataclass(slots=True, eq=False)
class Makeup:
    """[i, j, k] indices of two tissues and the second's share of the volume: one look-up gives any property.

    Between two tissues (fat and muscle, cancellous and cortical bone) every property is linear in the share.
    """

    first: Array
    second: Array
    share: Array
    known: list[Tissue] = field(default_factory=lambda: list(tissues().values()))

    @classmethod
    def between(cls, low: str, high: str, share: Array) -> "Makeup":
        """Everywhere a mixture of two tissues."""
        made = cls(np.zeros(share.shape, np.uint8), np.zeros(share.shape, np.uint8), share)
        made.first[:], made.second[:] = made.number(tissues()[low]), made.number(tissues()[high])
        return made

    def number(self, tissue: Tissue) -> int:
        """The index of a tissue, taken in where it is new."""
        if tissue not in self.known:
            self.known.append(tissue)
        return self.known.index(tissue)

    def assign(self, box: Box, inside: Array, tissue: Tissue) -> None:
        """The cells of a box that `inside` marks become one tissue."""
        self.first[box][inside] = self.second[box][inside] = self.number(tissue)
        self.share[box][inside] = 0

    def mix(self, box: Box, inside: Array, tissues_: tuple[Tissue, Tissue], share: Array) -> None:
        """The cells of a box that `inside` marks become a mixture; `share` [i, j, k] is over the box."""
        first, second = tissues_
        self.first[box][inside], self.second[box][inside] = self.number(first), self.number(second)
        self.share[box][inside] = share[inside]

    def property(self, value: Callable[[Tissue], float]) -> Array:
        """[i, j, k] float32 any property of the tissues."""
        table = np.array([value(tissue) for tissue in self.known], np.float32)
        low = table[self.first]
        high = table[self.second]
        high -= low
        high *= self.share
        low += high
        return low
