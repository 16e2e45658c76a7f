"""A bone with a lesion on a lattice of its own: what every load, law and treated state has in common."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from trocar.assessment.joints import joint_modulus, ring_bones
from trocar.assessment.solving import Tally
from trocar.assessment.supports import Bench, site_of
from trocar.assessment.yielding import Treated
from trocar.catalog.mechanics import Law, LoadCase, mechanics
from trocar.errors import CaseError
from trocar.imaging.resample import box_grid, resample, resample_mask
from trocar.imaging.surface import slices
from trocar.materials.cortex import Cortex, cortex_of, peak_HU
from trocar.materials.density import DensityScale
from trocar.materials.stiffness import Overlay, native_modulus
from trocar.model.case import Case, Role, Side, Structure
from trocar.model.space import Array, Grid, Volume
from trocar.model.treatment import Placement, Plan

REFERENCE_KG = 70.0
MARGIN_MM = 30.0  # joints, discs and neighboring bones are looked for within 8 mm; a screw's tip beyond is kept too


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specimen:
    """The bone that holds a plan's lesion, or the whole pelvic ring; `case` is the part of the CT around the lattice.

    `whole` is the mask of the CT that is modeled, `joints` MPa of what in it is joint and 0 elsewhere (of a ring only).
    `overlay` is which CT voxels lie under each voxel of the bone and the lesion, `cortex` the shares of thin cortex.
    """

    case: Case
    lesion: Structure
    bone: Structure
    site: str
    side: Side | None
    grid: Grid
    overlay: Overlay
    cortex: Cortex
    whole: Array
    joints: Array | None
    cut: bool = False  # out of a larger one: its parts hang on the cuts

    @classmethod
    def of(cls, case: Case, plan: Plan, *, spacing_mm: float, ring: bool = False) -> "Specimen":
        """The specimen of a plan, the bone alone or with `ring` both hip bones, the sacrum and their joints.

        Raises `CaseError` where no bone holds the lesion, the bone has no known loads, or is none of the ring's.
        """
        lesion = case.structure(plan.lesion)
        bone = host_bone(case, lesion)
        bones: tuple[Structure, ...] = (bone,)
        if ring:
            bones = ring_bones(case)
            if bone.name not in {item.name for item in bones}:
                raise CaseError(f"{bone.name!r} is no bone of the pelvic ring", hint="leave --ring out")
        corners = case.grid.to_lps(np.argwhere(np.logical_or.reduce([item.inside for item in bones])))
        grid = box_grid(corners, margin_mm=4.0, spacing_mm=spacing_mm, like=case.grid)
        part = _around(case, grid)
        lesion, bone = part.structure(lesion.name), part.structure(bone.name)
        solid = np.logical_or.reduce([part.structure(item.name).inside for item in bones]) | lesion.inside
        joints = joint_modulus(part) if ring else None
        whole = solid if joints is None else solid | (joints > 0)
        return cls(
            case=part,
            lesion=lesion,
            bone=bone,
            site="ring" if ring else site_of(bone),
            side=bone.side or part.context(lesion.name).side or lesion.side,
            grid=grid,
            overlay=Overlay.of(whole, part.grid, grid),
            cortex=_cortex(part, solid, lesion, peak_HU(case)),
            whole=whole,
            joints=joints,
        )

    def taken(self, loads: Sequence[LoadCase]) -> tuple[float, set[str]]:
        """The body weight in kg that loads count with, and the caveats of weight and loads."""
        weight_kg = self.case.clinical.patient.weight_kg
        caveats = set() if weight_kg is not None else {"weight_unknown_70_kg_taken"}
        if any(load.confidence == "low" for load in loads):
            caveats.add("load_prior")
        return weight_kg or REFERENCE_KG, caveats

    def bench(self, native: tuple[Array, Array, Array]) -> Bench:
        """Where the bone is held and loaded."""
        return Bench(case=self.case, grid=self.grid, voxels=native[0] > 0, site=self.site, side=self.side)

    def native(self, law: Law, scale: DensityScale, tally: Tally) -> tuple[Array, Array, Array]:
        """MPa of the untreated bone, of the bone as if the lesion were spongy bone, and the voxels that are bone."""
        inner = ndimage.binary_erosion(self.bone.inside & ~self.lesion.inside, iterations=3)
        spongy = float(np.median(law.modulus_MPa(scale(self.case.ct.values[inner])))) if inner.any() else 100.0
        modulus, solid, filled = *self._modulus(law, scale, None), self._modulus(law, scale, spongy)[0]
        label, count = ndimage.label(modulus > 0)
        if count > 1 and not self.cut:
            sizes = np.bincount(label.ravel())
            sizes[0] = 0
            kept = label == int(sizes.argmax())
            modulus, filled, solid = np.where(kept, modulus, 0), np.where(kept, filled, 0), solid & kept
            tally.caveats.add("islands_left_out")
        return modulus, filled, solid

    def _modulus(self, law: Law, scale: DensityScale, filled_MPa: float | None) -> tuple[Array, Array]:
        return native_modulus(
            self.case, self.whole, self.lesion.inside, law, scale, self.grid,
            filled_MPa=filled_MPa, overlay=self.overlay, cortex=self.cortex, joints_MPa=self.joints,
        )  # fmt: skip

    def middle(self, scale: DensityScale, tally: Tally) -> tuple[Law, tuple[Array, Array, Array]]:
        """The law whose mean modulus of the solid bone is the ensemble's median, and the untreated bone by it."""
        natives = [(law, self.native(law, scale, tally)) for law in mechanics().laws_of(self.site)]
        natives.sort(key=lambda item: float(item[1][0][item[1][2]].mean()))
        return natives[len(natives) // 2]

    def states(self, plan: Plan, *, cement: Volume | None, ablated_frac: float | None = None) -> tuple[Treated, ...]:
        """The states to compare: with what the plan has of cement and screws, each alone and together.

        Raises `CaseError` for a screw without a length.
        """
        placed = [item for step in plan.steps for item in step.placements]
        screws = tuple(item for item in placed if item.role == "screw")
        for screw in screws:
            if not screw.axis.length_mm > 0:
                raise CaseError(f"{screw.name} has no length", hint="give its entry and its target as two points")
        beads = [item for item in placed if item.role == "cement"]
        share = None
        if cement is not None:
            share = np.clip(resample(cement, self.grid, outside=0.0).values, 0, 1)
        elif beads:
            share = _beads(beads, self.grid, resample_mask(self.whole, self.case.grid, self.grid))
        states = [Treated(name="intact_estimate", filled=True), Treated(name="before")]
        if ablated_frac is not None:
            states.append(Treated(name="ablated", bone_frac=ablated_frac))
        if share is not None:
            states.append(Treated(name="cement", cement_frac=share))
        if screws:
            states.append(Treated(name="screws", screws=screws))
        if share is not None and screws:
            states.append(Treated(name="planned", cement_frac=share, screws=screws))
        return tuple(states)


def _cortex(case: Case, solid: Array, lesion: Structure, peak_HU: float) -> Cortex:
    other = np.zeros(case.grid.shape, bool)
    for structure in case.with_role(Role.BONE):
        other |= structure.inside
    return cortex_of(case.ct.values, case.grid, solid, other & ~solid, lesion.inside, peak_HU=peak_HU)


def host_bone(case: Case, lesion: Structure) -> Structure:
    """The bone that the lesion lies in, or touches within 3 mm. Raises `CaseError` where there is none."""
    near = ndimage.binary_dilation(lesion.inside, iterations=max(1, round(3 / float(case.grid.spacing_mm.min()))))
    shares = {bone.name: int((near & bone.inside).sum()) for bone in case.with_role(Role.BONE)}
    if not shares or max(shares.values()) == 0:
        raise CaseError(f"no bone holds {lesion.name!r}", hint="give the bone's mask: --structure hip_left=PATH")
    return case.structure(max(shares, key=lambda name: shares[name]))


def _beads(beads: Sequence[Placement], grid: Grid, allowed: Array) -> Array:
    """Each bead as the allowed voxels nearest to its point, up to its volume."""
    share = np.zeros(grid.shape, np.float32)
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    for bead in beads:
        away = np.linalg.norm(points - bead.target_lps_mm, axis=-1)
        free = np.flatnonzero(allowed & (share < 1))
        nearest = free[np.argsort(away.ravel()[free], kind="stable")]
        share.ravel()[nearest[: round((bead.volume_ml or 0.0) / grid.voxel_ml)]] = 1.0
    return share


def _around(case: Case, grid: Grid, *, margin_mm: float = MARGIN_MM) -> Case:
    """The case cropped to a lattice with a margin; structures that lie wholly outside are left out."""
    corners = np.array([[i, j, k] for i in (0, grid.shape[0]) for j in (0, grid.shape[1]) for k in (0, grid.shape[2])])
    reach = case.grid.to_ijk(grid.to_lps(corners))
    margin = margin_mm / case.grid.spacing_mm
    low = np.clip(np.floor(reach.min(axis=0) - margin), 0, np.array(case.grid.shape) - 1).astype(int)
    high = np.clip(np.ceil(reach.max(axis=0) + margin) + 1, low + 1, case.grid.shape).astype(int)
    box = slices(low, high)
    kept = []
    for structure in case.structures:
        inside = structure.inside[box]
        if inside.any():
            kept.append(replace(structure, inside=inside.copy()))
    ct = Volume(grid=case.grid.cropped(low, high), values=case.ct.values[box].copy(), unit=case.ct.unit)
    return replace(case, ct=ct, structures=tuple(kept), phases={}, geometry=())
