"""The same super-steps on a GPU: the cell functions of `cells`, compiled for CUDA, one thread a cell, no nesting.

Needs the extra `trocar[cuda]`. Import this module only where a GPU is asked for.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import cuda

from trocar.errors import SolverError
from trocar.physics.compiled import cell_functions
from trocar.physics.damage import THRESHOLDS_DEGC, Damage
from trocar.physics.lattice import Faces, Lattice
from trocar.physics.medium import Array
from trocar.physics.source import FLUID, POWER, Needles, Pieces, by_cell
from trocar.physics.stage import Fields

BLOCK = (1, 4, 64)
LINE = 128

_CELL = cell_functions(cuda.jit(device=True, fastmath=True))
_temperature, _boiling, _flow = _CELL.cell_temperature, _CELL.boiling_temperature, _CELL.face_flow
_ice_integral, _ice_curve = _CELL.ice_integral, _CELL.ice_curve
_open_share, _thawed_share = _CELL.open_share, _CELL.thawed_share


@dataclass(slots=True, eq=False)
class CudaLattice:
    """A lattice and its moving fields in the GPU's memory. Raises `SolverError` where there is no GPU."""

    lattice: Lattice
    _constant: dict[str, Any] = field(init=False, repr=False)
    _moving: dict[str, list[Any]] = field(init=False, repr=False)
    _kept: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not cuda.is_available():
            raise SolverError("no CUDA device is available", hint="leave device out, or pip install trocar[cuda]")
        lattice = self.lattice
        arrays = lattice.faces.unpacked()._asdict() | lattice.curve._asdict() | {"blood": lattice.blood}
        self._constant = {name: cuda.to_device(np.ascontiguousarray(values)) for name, values in arrays.items()}
        self._moving, self._kept = {}, {}

    def upload(self, fields: Fields, damage: Damage) -> None:
        """Send the state."""
        self._moving = {
            name: [cuda.to_device(np.ascontiguousarray(values)) for values in pair]
            for name, pair in fields._asdict().items()
        }
        kept = {name: getattr(damage, name) for name in ("minimum_degC", "open_frac", "freezes", "below_s")}
        self._kept = {name: cuda.to_device(np.ascontiguousarray(values)) for name, values in kept.items()}
        self._kept["now"] = cuda.to_device(np.zeros_like(fields.t[0]))
        self._kept["before"] = cuda.to_device(np.zeros_like(fields.t[0]))

    def download(self, u: Array, t: Array, damage: Damage) -> None:
        """Fetch it again."""
        for name, values in (("u", u), ("t", t)):
            self._moving[name][0].copy_to_host(values)
        for name in ("minimum_degC", "open_frac", "freezes", "below_s"):
            self._kept[name].copy_to_host(getattr(damage, name))

    def super_step(self, source: Array, stages: Array, pieces: Pieces, needles: Needles, step_s: float) -> Array:
        """What `stage.super_step` does, on every inner cell, and the damage of the step; returns the same joules."""
        shape, law, cell_m3 = self.lattice.shape, self.lattice.law, self.lattice.medium.cell_m3
        grid = tuple(-(-n // b) for n, b in zip(shape, BLOCK, strict=True))
        here = {name: values for name, values in pieces._asdict().items() if name not in ("runs", "stretch")}
        on = {name: cuda.to_device(values) for name, values in here.items()}
        back, piece, piece_weight = (cuda.to_device(values) for values in by_cell(pieces))
        drives = [cuda.to_device(values) for values in needles]
        source_, means = cuda.to_device(source), cuda.to_device(np.zeros(max(1, pieces.needle.size), np.float32))
        watts, blood_W = cuda.to_device(np.zeros_like(means)), cuda.to_device(np.zeros(len(stages)))
        drawn_W = cuda.to_device(np.zeros((len(stages), max(1, needles.kind.size))))
        constant, kept = self._constant, self._kept
        faces = [constant[name] for name in Faces._fields]
        curve = [constant[name] for name in self.lattice.curve._fields]
        kept["before"].copy_to_device(self._moving["t"][0])
        count, touched = len(stages), pieces.cells.size
        for s in range(count):
            beyond, weight_s, looking = stages[s]
            (u, u_new), (t, t_new), (ice, ice_new) = (self._moving[name] for name in ("u", "t", "ice"))
            if looking:
                _perfuse[grid, BLOCK](t, constant["blood"], kept["open_frac"], kept["now"], *shape, law)
            _stage[grid, BLOCK](
                u, u_new, t, ice, t_new, ice_new, *faces, *curve, kept["now"], source_, *shape, beyond, weight_s, law,
                blood_W, s,
            )  # fmt: skip
            if touched:
                lines = -(-pieces.needle.size // LINE), LINE
                _means[lines](t, ice, on["cells"], on["offset"], on["cell"], on["weight"], on["unfrozen_W_per_mK"],
                              on["freezing_W_per_mK"], means)  # fmt: skip
                _draw[1, 1](
                    on["needle"], on["strength_m"], on["wall_m2"], on["own_unfrozen"], on["own_freezing"],
                    on["held_share"], *drives, means, law, watts, drawn_W, blood_W, s, 1.0 / cell_m3,
                )  # fmt: skip
                _heat_cells[-(-touched // LINE), LINE](
                    on["cells"], back, piece, piece_weight, watts, u_new, t_new, ice_new, *curve,
                    law, np.float32(weight_s / cell_m3),
                )  # fmt: skip
            for pair in self._moving.values():
                pair.reverse()
        _record[grid, BLOCK](kept["before"], self._moving["t"][0], np.float32(step_s), *shape, law,
                             np.array(THRESHOLDS_DEGC, np.float32), kept["minimum_degC"], kept["open_frac"],
                             kept["freezes"], kept["below_s"])  # fmt: skip
        brought_W = blood_W.copy_to_host() * cell_m3
        powers_W = np.column_stack([brought_W, drawn_W.copy_to_host()[:, : needles.kind.size]])
        now, before = np.zeros(powers_W.shape[1]), np.zeros(powers_W.shape[1])
        for (beyond, weight_s), power_W in zip(stages[:, :2].astype(float), powers_W, strict=True):
            now, before = now + beyond * (now - before) + weight_s * power_W, now
        return now

    @property
    def lowest_degC(self) -> float:
        """The coldest cell now."""
        return float(self._moving["t"][0].copy_to_host().min())


@cuda.jit(fastmath=True)
def _perfuse(t, coefficient, open_frac, now, nx, ny, nz, law):  # type: ignore[no-untyped-def]
    i, j, k = cuda.grid(3)
    if 0 < i < nx - 1 and 0 < j < ny - 1 and 0 < k < nz - 1:
        p = (i * ny + j) * nz + k
        share = _open_share(
            t[p], t[p - ny * nz], t[p + ny * nz], t[p - nz], t[p + nz], t[p - 1], t[p + 1], law.liquidus,
            law.inverse_interval,
        )  # fmt: skip
        now[p] = coefficient[p] * min(open_frac[p], share)


@cuda.jit(fastmath=True)
def _stage(  # type: ignore[no-untyped-def]
    u, u_new, t, ice, t_new, ice_new, ax, ay, az, bx, by, bz, mush, frozen, inverse, vapor, blood, source, nx, ny, nz,
    beyond, weight_s, law, blood_W, s,
):  # fmt: skip
    i, j, k = cuda.grid(3)
    if 0 < i < nx - 1 and 0 < j < ny - 1 and 0 < k < nz - 1:
        sx, sy = ny * nz, nz
        p = (i * ny + j) * nz + k
        here, g = t[p], ice[p]
        flow = (
            _flow(ax[p], bx[p], here, t[p - sx], g, ice[p - sx])
            + _flow(ax[p + sx], bx[p + sx], here, t[p + sx], g, ice[p + sx])
            + _flow(ay[p], by[p], here, t[p - sy], g, ice[p - sy])
            + _flow(ay[p + sy], by[p + sy], here, t[p + sy], g, ice[p + sy])
            + _flow(az[p], bz[p], here, t[p - 1], g, ice[p - 1])
            + _flow(az[p + 1], bz[p + 1], here, t[p + 1], g, ice[p + 1])
        )
        warmed = blood[p] * (law.rest - here)
        cuda.atomic.add(blood_W, s, np.float64(warmed if inverse[p] > 0 else -flow))
        v = u[p] + beyond * (u[p] - u_new[p]) + weight_s * inverse[p] * (flow + warmed + source[p])
        u_new[p] = v
        if vapor.size > 0:
            now = _boiling(v, mush[p], frozen[p], law.liquidus, law.interval, law.boil, vapor[p], law.boil_interval)
        else:
            now = _temperature(v, mush[p], frozen[p], law.liquidus, law.interval)
        t_new[p] = now
        ice_new[p] = _ice_integral(now, law.liquidus, law.interval, law.half_inverse, law.half_slope)


@cuda.jit(fastmath=True)
def _means(t, ice, cells, offset, cell, weight, unfrozen, freezing, means):  # type: ignore[no-untyped-def]
    n = cuda.grid(1)
    if n < offset.size - 1:
        mean = np.float32(0)
        for q in range(offset[n], offset[n + 1]):
            c = cell[q]
            p = np.int64(cells[c])
            mean += weight[q] * (unfrozen[c] * t[p] + freezing[c] * ice[p])
        means[n] = mean


@cuda.jit(fastmath=True)
def _draw(  # type: ignore[no-untyped-def]
    needle, strength_m, wall_m2, unfrozen, freezing, held_share, kind, value, duty, exchange, limit_W, means, law,
    watts, drawn_W, blood_W, s, per_cell,
):  # fmt: skip
    """One thread: the pieces are few. The same as `source.draw`."""
    for n in range(needle.size):
        which = needle[n]
        surface = value[which]
        if kind[which] == POWER:
            whole = np.float32(0)
            for m in range(needle.size):
                if needle[m] == which:
                    whole += strength_m[m]
            watts[n] = surface * strength_m[n] / whole
        else:
            if kind[which] == FLUID:
                through, fluid = exchange[which] * wall_m2[n], surface
                for _ in range(6):
                    stored = unfrozen[n] * surface + freezing[n] * _ice_integral(
                        surface, law.liquidus, law.interval, law.half_inverse, law.half_slope
                    )
                    conductivity = unfrozen[n] + freezing[n] * _ice_curve(
                        surface, law.liquidus, law.interval, law.inverse_interval, law.half_slope
                    )
                    excess = strength_m[n] * (means[n] - stored) - through * (surface - fluid)
                    surface += excess / (strength_m[n] * conductivity + through)
            there = unfrozen[n] * surface + freezing[n] * _ice_integral(
                surface, law.liquidus, law.interval, law.half_inverse, law.half_slope
            )
            watts[n] = duty[which] * strength_m[n] * (means[n] - there)
        drawn_W[s, which] += watts[n]
    for n in range(needle.size):
        drawn = abs(drawn_W[s, needle[n]])
        if drawn > limit_W[needle[n]]:
            watts[n] *= np.float32(limit_W[needle[n]] / drawn)
    for which in range(kind.size):
        if abs(drawn_W[s, which]) > limit_W[which]:
            drawn_W[s, which] *= limit_W[which] / abs(drawn_W[s, which])
    for n in range(needle.size):
        blood_W[s] += watts[n] * held_share[n] * per_cell


@cuda.jit(fastmath=True)
def _heat_cells(  # type: ignore[no-untyped-def]
    cells, back, piece, piece_weight, watts, u, t, ice, mush, frozen, inverse, vapor, law, weight
):  # fmt: skip
    c = cuda.grid(1)
    if c < cells.size:
        p = np.int64(cells[c])
        drawn = np.float32(0)
        for q in range(back[c], back[c + 1]):
            drawn += watts[piece[q]] * piece_weight[q]
        v = u[p] - weight * drawn * inverse[p]
        if vapor.size > 0:
            now = _boiling(v, mush[p], frozen[p], law.liquidus, law.interval, law.boil, vapor[p], law.boil_interval)
        else:
            now = _temperature(v, mush[p], frozen[p], law.liquidus, law.interval)
        u[p], t[p] = v, now
        ice[p] = _ice_integral(now, law.liquidus, law.interval, law.half_inverse, law.half_slope)


@cuda.jit(fastmath=True)
def _record(before, now, step_s, nx, ny, nz, law, thresholds, minimum, open_frac, freezes, below_s):  # type: ignore[no-untyped-def]
    i, j, k = cuda.grid(3)
    if 0 < i < nx - 1 and 0 < j < ny - 1 and 0 < k < nz - 1:
        p = (i * ny + j) * nz + k
        a, b = before[p], now[p]
        minimum[p] = min(minimum[p], b)
        open_frac[p] = min(open_frac[p], _thawed_share(b, law.liquidus, law.inverse_interval))
        middle = law.liquidus - np.float32(0.5) * law.interval
        if a >= middle and b < middle:
            freezes[p] += np.float32(1)
        low, high = min(a, b), max(a, b)
        for n in range(thresholds.size):
            share = (thresholds[n] - low) / max(high - low, np.float32(1e-6))
            below_s[n, p] += step_s * min(max(share, np.float32(0)), np.float32(1))
