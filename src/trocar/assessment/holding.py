"""Screws by closed form, as a cross-check of the voxels: pull-out (Chapman) and embedded length in bending (Vesic)."""

import numpy as np

from trocar.catalog.mechanics import Law, mechanics
from trocar.imaging.resample import sample
from trocar.materials.density import DensityScale
from trocar.materials.screw_threads import shape_factor
from trocar.materials.stiffness import LYTIC_BELOW_HU
from trocar.model.case import Case
from trocar.model.space import Array
from trocar.model.strength import ScrewHold
from trocar.model.treatment import Placement

COLLAR_MM = 15.0
THREAD_MM = 32.0  # the longer of the usual partial threads (mechanics reference 4.3)
STEP_MM = 1.0
SOURCE = "R-h (Chapman 1996; ASTM F543), design (shear from the law's compressive strength; 32 mm of thread)"


def pull_out_N(shear_MPa: float, length_mm: float, diameter_mm: float, *, pitch_mm: float | None = None,
               depth_mm: float | None = None, cannulated: bool = True) -> float:  # fmt: skip
    """S L pi D TSF; a thread's pitch or depth that is not given is the catalog's."""
    used = shape_factor(cannulated=cannulated, pitch_mm=pitch_mm, depth_mm=depth_mm)
    return shear_MPa * length_mm * np.pi * diameter_mm * used


def decay_length_mm(modulus_MPa: float, diameter_mm: float, *, steel_GPa: float, poisson: float = 0.3) -> float:
    """How far into bone a screw bends: 1 / lambda of a beam on Vesic's foundation."""
    bending = 1000.0 * steel_GPa * np.pi * diameter_mm**4 / 64
    foundation = 0.65 * modulus_MPa / (1 - poisson**2) * (modulus_MPa * diameter_mm**4 / bending) ** (1 / 12)
    return float((4 * bending / foundation) ** 0.25)


def screw_hold(case: Case, screw: Placement, bone: Array, lesion: Array, law: Law, scale: DensityScale, *,
               cemented: bool) -> ScrewHold:  # fmt: skip
    """A screw's hold by the bone along it that is no tumor. Unknown where the law has no strength.

    The catalog does not know how long threads are: the figure is for 32 mm of thread at the tip, beside it that of a
    thread over the whole screw. A collar of cement stands in for the last 15 mm of the thread.
    """
    at = screw.axis.at(np.arange(STEP_MM / 2, screw.axis.length_mm, STEP_MM))
    in_bone = sample(bone.astype(np.float32), case.grid, at, outside=0.0, order=0) > 0
    in_tumor = sample(lesion.astype(np.float32), case.grid, at, outside=0.0, order=0) > 0
    hu = sample(case.ct.values.astype(np.float32), case.grid, at, outside=-1000.0)
    gripped = in_bone & ~(in_tumor & (hu < LYTIC_BELOW_HU))
    density = scale(hu)
    strength = law.strength_MPa(density)
    partial, full, collar = None, None, None
    if strength is not None and gripped.any():
        shear = np.where(gripped, mechanics().thread.shear_per_compression_frac * strength, 0.0)
        per_MPa = pull_out_N(1.0, STEP_MM, screw.diameter_mm)
        from_tip = np.arange(len(shear))[::-1] * STEP_MM
        full, partial = (per_MPa * float(shear[from_tip < reach].sum()) for reach in (np.inf, THREAD_MM))
        if cemented:
            beyond = per_MPa * float(shear[(from_tip >= COLLAR_MM) & (from_tip < THREAD_MM)].sum())
            collar = max(partial, beyond + np.pi * COLLAR_MM * STEP_MM * float(shear[from_tip < COLLAR_MM].sum()))
    titanium = mechanics().material_of("titanium").modulus_GPa
    modulus = float(law.modulus_MPa(density[gripped]).mean()) if gripped.any() else 0.0
    return ScrewHold(
        name=screw.name,
        anchored_mm=float(gripped.sum()) * STEP_MM,
        pull_out_N=None if partial is None else round(partial, 1),
        pull_out_full_thread_N=None if full is None else round(full, 1),
        pull_out_cemented_N=None if collar is None else round(collar, 1),
        decay_length_mm=round(decay_length_mm(modulus, screw.diameter_mm, steel_GPa=titanium), 2) if modulus else None,
        source=SOURCE,
    )
