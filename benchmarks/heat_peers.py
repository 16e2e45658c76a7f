"""The benchmark's problem and the peers that solve it: scikit-fem on an octant, and plain explicit numpy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.sparse import diags
from scipy.sparse.linalg import LinearOperator, cg
from skfem import Basis, BilinearForm, ElementHex1, MeshHex, asm
from skfem.helpers import dot, grad

Array = np.ndarray[Any, Any]

REST_DEGC, SURFACE_DEGC = 37.0, -140.0
NEEDLE_RADIUS_M, ACTIVE_M = 0.75e-3, 40e-3
HALF_BOX_M, DURATION_S = 48e-3, 600.0
REFERENCE_RADIUS_MM = 30.93 / 2  # of 0 degC at mid-plane: fine axisymmetric finite volumes

# Property set P1: soft tissue with a mushy range, conductivity linear in it.
UNFROZEN_W_PER_MK, FROZEN_W_PER_MK = 0.5, 2.0
UNFROZEN_J_PER_M3K, FROZEN_J_PER_M3K, LATENT_J_PER_M3 = 3.6e6, 1.7964e6, 250e6
SOLIDUS_DEGC, LIQUIDUS_DEGC = -8.0, -1.0
INTERVAL_K = LIQUIDUS_DEGC - SOLIDUS_DEGC
MUSH_J_PER_M3K = LATENT_J_PER_M3 / INTERVAL_K + 0.5 * (UNFROZEN_J_PER_M3K + FROZEN_J_PER_M3K)
K_SLOPE = (FROZEN_W_PER_MK - UNFROZEN_W_PER_MK) / INTERVAL_K
SOLIDUS_KIRCHHOFF = -0.5 * (UNFROZEN_W_PER_MK + FROZEN_W_PER_MK) * INTERVAL_K
SQUARE_RADIUS = 0.59017 * 2  # logarithmic radius of a square of unit half-side


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Temperatures [i, j, k] on the tensor grid of three axes in meters from the needle's middle."""

    axes: tuple[Array, Array, Array]
    temperature_degC: Array
    cells: int
    steps: int


def enthalpy(t: Array) -> Array:
    """H(T), J/m3, 0 at the liquidus."""
    d = t - LIQUIDUS_DEGC
    return (
        UNFROZEN_J_PER_M3K * np.maximum(d, 0)
        + MUSH_J_PER_M3K * np.clip(d, -INTERVAL_K, 0)
        + FROZEN_J_PER_M3K * np.minimum(d + INTERVAL_K, 0)
    )


def temperature(h: Array) -> Array:
    """T(H)."""
    frozen = -MUSH_J_PER_M3K * INTERVAL_K
    return (
        LIQUIDUS_DEGC
        + np.maximum(h, 0) / UNFROZEN_J_PER_M3K
        + np.clip(h, frozen, 0) / MUSH_J_PER_M3K
        + np.minimum(h - frozen, 0) / FROZEN_J_PER_M3K
    )


def kirchhoff(t: Array) -> Array:
    """The integral of k from the liquidus to T, W/m."""
    d = t - LIQUIDUS_DEGC
    mush = np.clip(-d, 0, INTERVAL_K)
    return (
        UNFROZEN_W_PER_MK * np.maximum(d, 0)
        - (UNFROZEN_W_PER_MK * mush + 0.5 * K_SLOPE * mush**2)
        + FROZEN_W_PER_MK * np.minimum(d + INTERVAL_K, 0)
    )


def from_kirchhoff(u: Array) -> tuple[Array, Array]:
    """T(u), and dH/du = C / k there."""
    mush = np.clip(-u, 0, -SOLIDUS_KIRCHHOFF)
    depth = (np.sqrt(UNFROZEN_W_PER_MK**2 + 2 * K_SLOPE * mush) - UNFROZEN_W_PER_MK) / K_SLOPE
    t = LIQUIDUS_DEGC + np.maximum(u, 0) / UNFROZEN_W_PER_MK - depth
    t += np.minimum(u - SOLIDUS_KIRCHHOFF, 0) / FROZEN_W_PER_MK
    warm, cold = u > 0, u < SOLIDUS_KIRCHHOFF
    slope = np.where(
        warm, UNFROZEN_J_PER_M3K / UNFROZEN_W_PER_MK, MUSH_J_PER_M3K / (UNFROZEN_W_PER_MK + K_SLOPE * depth)
    )
    return t, np.where(cold, FROZEN_J_PER_M3K / FROZEN_W_PER_MK, slope)


def mean_radius_mm(field: Field, direction: Array, *, octant: bool = False) -> float:
    """The mean distance of 0 degC from the needle's middle, over 16 directions across it (5 in one octant)."""
    direction = direction / np.linalg.norm(direction)
    first = np.cross(direction, np.eye(3)[np.argmin(np.abs(direction))])
    first /= np.linalg.norm(first)
    second = np.cross(direction, first)
    angles = np.linspace(0, np.pi / 2, 5) if octant else np.linspace(0, 2 * np.pi, 16, endpoint=False)
    if octant:
        first, second = np.eye(3)[:2]
    at = RegularGridInterpolator(field.axes, field.temperature_degC)
    radii_m = np.arange(0, 0.042, 2e-5)
    found = []
    for angle in angles:
        values = at(radii_m[:, None] * (np.cos(angle) * first + np.sin(angle) * second))
        n = int(np.flatnonzero(values > 0)[0])
        found.append(radii_m[n] - values[n] / (values[n] - values[n - 1]) * 2e-5)
    # Trapezoids over a quarter: its ends stand for half an interval each.
    weights = np.array([1, 2, 2, 2, 1]) if octant else np.ones(len(angles))
    return 1e3 * float(np.average(found, weights=weights))


def uniform_lines(spacing_m: float) -> tuple[Array, Array]:
    """The octant's mesh lines across and along the needle, which is the nodes on its axis."""
    lines = np.linspace(0, HALF_BOX_M, round(HALF_BOX_M / spacing_m) + 1)
    return lines, lines


def graded_lines(coarsest_m: float, *, growth: float = 1.3) -> tuple[Array, Array]:
    """Mesh lines that grow from a square with the needle's logarithmic radius; finer at the tip along it."""
    across = [0.0, NEEDLE_RADIUS_M / SQUARE_RADIUS]
    step = across[1]
    while across[-1] < HALF_BOX_M:
        step = min(step * growth, coarsest_m)
        across.append(across[-1] + step)
    across_m = np.array(across)
    across_m[2:] = across_m[1] + (across_m[2:] - across_m[1]) * (HALF_BOX_M - across_m[1]) / (
        across_m[-1] - across_m[1]
    )
    tip = ACTIVE_M / 2
    fine = np.arange(tip - 3e-3, tip + 3.5e-3, 1e-3)
    before = np.linspace(0, fine[0], round(fine[0] / coarsest_m) + 1)
    after = np.linspace(fine[-1], HALF_BOX_M, round((HALF_BOX_M - fine[-1]) / coarsest_m) + 1)
    return across_m, np.unique(np.concatenate([before, fine, after]).round(9))


@BilinearForm
def _laplace(u, v, _):  # type: ignore[no-untyped-def]
    return dot(grad(u), grad(v))


@BilinearForm
def _mass(u, v, _):  # type: ignore[no-untyped-def]
    return u * v


def finite_elements(
    across_m: Array, along_m: Array, *, step_s: float = 5.0, tolerance: float = 1e-4, cg_tolerance: float = 1e-2
) -> Field:
    """scikit-fem: hexahedral Q1, lumped enthalpy, Kirchhoff, backward Euler, Newton with Jacobi-CG, one octant."""
    mesh = MeshHex.init_tensor(across_m, across_m, along_m)
    basis = Basis(mesh, ElementHex1())
    stiffness = asm(_laplace, basis).tocsr()
    lumped = np.asarray(asm(_mass, basis).sum(axis=1)).reshape(-1)
    x, y, z = mesh.p
    tiny = 1e-9
    needle = (np.maximum(x, y) <= across_m[1] * (across_m[1] < NEEDLE_RADIUS_M) + tiny) & (z <= ACTIVE_M / 2 + tiny)
    outer = np.maximum(np.maximum(x, y), z) > HALF_BOX_M - tiny
    free = np.flatnonzero(~(needle | outer))
    t = np.where(needle, SURFACE_DEGC, REST_DEGC)
    u = kirchhoff(t)
    inner, lumped = stiffness[free][:, free], lumped[free]
    driven = stiffness[free] @ np.where(needle | outer, u, 0.0)
    before = enthalpy(t[free])
    v, steps = u[free], round(DURATION_S / step_s)
    for _ in range(steps):
        v = _newton(v, before, inner, driven, lumped / step_s, tolerance, cg_tolerance)
        before = enthalpy(from_kirchhoff(v)[0])
    u[free] = v
    order = np.lexsort((z, y, x))
    shape = (across_m.size, across_m.size, along_m.size)
    return Field((across_m, across_m, along_m), from_kirchhoff(u)[0][order].reshape(shape), mesh.t.shape[1], steps)


def _newton(
    v: Array, before: Array, inner: Any, driven: Array, weight: Array, tolerance: float, cg_tolerance: float
) -> Array:
    def residual(v: Array) -> Array:
        return weight * (enthalpy(from_kirchhoff(v)[0]) - before) + inner @ v + driven

    left = residual(v)
    scale = max(np.linalg.norm(left), np.linalg.norm(driven))
    for _ in range(40):
        if np.linalg.norm(left) <= tolerance * scale:
            return v
        matrix = inner + diags(weight * from_kirchhoff(v)[1])
        inverse = 1 / matrix.diagonal()
        jacobi = LinearOperator(matrix.shape, matvec=lambda r, inverse=inverse: inverse * r)
        change, _ = cg(matrix, -left, rtol=cg_tolerance, M=jacobi)
        share, size = 1.0, np.linalg.norm(left)
        left = residual(v + change)
        while share > 1 / 64 and np.linalg.norm(left) >= size:
            share /= 2
            left = residual(v + share * change)
        v = v + share * change
    raise RuntimeError("Newton did not converge: the peer's time would mean nothing")


def explicit_numpy(spacing_m: float) -> Field:
    """Plain numpy: explicit enthalpy on the whole box in float32; the needle is the cells on its axis, held."""
    half = round(HALF_BOX_M / spacing_m)
    axis = np.arange(-half, half + 1) * spacing_m
    t = np.full((axis.size,) * 3, REST_DEGC, np.float32)
    needle = (half, half, np.flatnonzero(np.abs(axis) <= ACTIVE_M / 2 + 1e-9))
    limit_s = spacing_m**2 * FROZEN_J_PER_M3K / (6 * FROZEN_W_PER_MK)
    steps = int(np.ceil(DURATION_S / (0.95 * limit_s)))
    factor = np.float32(DURATION_S / steps / spacing_m**2)
    held_J = enthalpy(np.float32(SURFACE_DEGC))
    h = enthalpy(t).astype(np.float32)
    h[needle] = held_J
    for _ in range(steps):
        u = kirchhoff(temperature(h))
        inner = u[1:-1, 1:-1, 1:-1]
        flow = u[2:, 1:-1, 1:-1] + u[:-2, 1:-1, 1:-1] + u[1:-1, 2:, 1:-1] + u[1:-1, :-2, 1:-1]
        flow += u[1:-1, 1:-1, 2:] + u[1:-1, 1:-1, :-2]
        flow -= 6 * inner
        h[1:-1, 1:-1, 1:-1] += factor * flow
        h[needle] = held_J
    return Field((axis, axis, axis), temperature(h), axis.size**3, steps)
