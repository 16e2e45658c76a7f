"""What every image reader shares: the two thresholds of a geometric finding, and axes in the order of patient space."""

from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

from trocar.errors import GeometryError
from trocar.model.case import GeometryFinding, Severity
from trocar.model.space import Array, Grid, Volume, as_matrix4

SHEAR_SILENT_MM, SHEAR_REFUSED_MM = 0.05, 0.5  # what making the axes perpendicular moves the farthest corner
UNSHOWN_SAID_FRAC, UNSHOWN_REFUSED_FRAC = 0.05, 0.95  # of the CT, that a phase may leave out
SAMPLES = 20  # along each axis, to see how two images overlap
EDGE_MIN_MM, EDGE_MAX_MM = 0.01, 20.0  # of a voxel: below and above, the lengths are not in millimeters
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def judged(
    subject: str,
    finding: str,
    value: float,
    *,
    say_above: float,
    refuse_above: float,
    unit: str,
    message: str,
    hint: str,
) -> tuple[GeometryFinding, ...]:
    """Nothing up to `say_above`, a NOTED finding above it, `GeometryError` above `refuse_above`."""
    if not value > say_above:
        return ()
    if value > refuse_above:
        raise GeometryError(f"{subject}: {message} ({value:.3g} {unit}, at most {refuse_above:g} {unit})", hint=hint)
    return (said(subject, finding, value, limit=say_above, unit=unit, message=message),)


def judged_overlap(subject: str, grid: Grid, ct: Grid) -> tuple[GeometryFinding, ...]:
    """How much of the CT another image does not show. Raises `GeometryError` when that is nearly all."""
    ijk = np.stack(np.meshgrid(*(np.linspace(0, n - 1, SAMPLES) for n in ct.shape), indexing="ij"), axis=-1)
    return judged(
        subject,
        "outside_image",
        1.0 - float(grid.contains(ct.to_lps(ijk)).mean()),
        say_above=UNSHOWN_SAID_FRAC,
        refuse_above=UNSHOWN_REFUSED_FRAC,
        unit="fraction",
        message="part of the planning CT lies outside of it",
        hint="it belongs to another patient or another frame of reference",
    )


def said(
    subject: str, finding: str, value: float, *, limit: float, unit: str, message: str, repaired: bool = False
) -> GeometryFinding:
    """A finding that is reported and does not stop the reading."""
    return GeometryFinding(
        subject=subject,
        finding=finding,
        severity=Severity.REPAIRED if repaired else Severity.NOTED,
        value=float(value),
        limit=float(limit),
        unit=unit,
        message=message,
    )


def canonical(values: Array, lps_from_ijk: ArrayLike) -> tuple[Array, Array]:
    """The same voxels with axes permuted and flipped so that i, j, k run most nearly to the left, posterior and head.

    Returns the C-ordered array and its 4 x 4 `lps_from_ijk`. No voxel is interpolated or moved in patient space.
    """
    matrix = np.array(lps_from_ijk, dtype=float)
    directions = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    order = max(permutations(range(3)), key=lambda axes: sum(abs(directions[n, axes[n]]) for n in range(3)))
    turned = np.transpose(values, (*order, *range(3, values.ndim)))
    matrix[:3, :3] = matrix[:3, order]
    for axis in range(3):
        if matrix[axis, axis] < 0:
            matrix[:3, 3] += (turned.shape[axis] - 1) * matrix[:3, axis]
            matrix[:3, axis] *= -1
            turned = np.flip(turned, axis)
    return np.ascontiguousarray(turned), matrix


def edges_mm(subject: str, matrix: Array) -> Array:
    """The three voxel edges of a 4 x 4 matrix. Raises `GeometryError` for lengths that no image has in millimeters."""
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if not np.all(np.isfinite(matrix)) or lengths.min() <= 0:
        raise GeometryError(f"{subject}: a voxel edge has no length or is not a number", hint="export the image again")
    if lengths.min() < EDGE_MIN_MM or lengths.max() > EDGE_MAX_MM:
        measured = " x ".join(f"{length:.4g}" for length in lengths)
        raise GeometryError(
            f"{subject}: voxels of {measured} mm ({EDGE_MIN_MM:g} to {EDGE_MAX_MM:g} mm are read)",
            hint="the file's lengths seem to be in another unit: write the image with millimeters",
        )
    return lengths


def orthogonal_axes(subject: str, matrix: Array, shape: tuple[int, ...]) -> tuple[Array, tuple[GeometryFinding, ...]]:
    """The 4 x 4 matrix with its voxel edges made exactly perpendicular, the image's center kept, when they nearly are.

    Silent while no corner moves by more than 0.05 mm, said up to 0.5 mm. Raises `GeometryError` above (shear), and for
    voxel edges that no image has.
    """
    lengths = edges_mm(subject, matrix)
    left, _, right = np.linalg.svd(matrix[:3, :3] / lengths)
    straight = matrix.copy()
    straight[:3, :3] = (left @ right) * lengths
    half = (np.asarray(shape[:3]) - 1) / 2
    straight[:3, 3] += (matrix[:3, :3] - straight[:3, :3]) @ half
    corners = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]) * half
    moved_mm = float(np.linalg.norm(corners @ (straight - matrix)[:3, :3].T, axis=1).max())
    findings = judged(
        subject,
        "shear",
        moved_mm,
        say_above=SHEAR_SILENT_MM,
        refuse_above=SHEAR_REFUSED_MM,
        unit="mm",
        message="the voxel edges are not perpendicular (shear)",
        hint="resample the image onto a grid with perpendicular axes first; trocar does so itself from DICOM slices",
    )
    return straight, findings


def volume_of(values: Array, lps_from_ijk: ArrayLike, *, unit: str) -> Volume:
    """A volume with canonical axes."""
    turned, matrix = canonical(values, lps_from_ijk)
    return Volume(grid=grid_of(turned.shape, matrix), values=turned, unit=unit)


def grid_of(shape: tuple[int, ...], lps_from_ijk: ArrayLike) -> Grid:
    """A grid from an array's shape and its 4 x 4 matrix."""
    return Grid(shape=(int(shape[0]), int(shape[1]), int(shape[2])), lps_from_ijk=as_matrix4(lps_from_ijk))
