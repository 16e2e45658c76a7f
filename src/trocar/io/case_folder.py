"""A case as a folder: `case.json`, `ct.nii.gz`, `structures.nii.gz` and one NIfTI file per further phase."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from trocar.errors import CaseError, DossierError
from trocar.io.arrays import compact, layered, read_nifti, write_nifti
from trocar.io.codec import decode, encode
from trocar.io.stored import StoredCase, StoredStructure, StoredVolume
from trocar.model.case import Case, Structure
from trocar.model.space import Array, Grid, Volume

CASE, CT, STRUCTURES = "case.json", "ct.nii.gz", "structures.nii.gz"
RESTORE = "restore the files, or make the dossier anew"


def write_case(folder: Path, case: Case) -> None:
    """Write a case into an existing folder. Raises `CaseError` when a phase's name cannot name a file."""
    labels, places = layered(case.structures, case.grid)
    write_nifti(folder / STRUCTURES, labels, case.grid)
    stored = StoredCase(
        case_id=case.case_id,
        synthetic=case.synthetic,
        ct=_write_volume(folder / CT, case.ct),
        structures_file=STRUCTURES,
        structures=tuple(
            StoredStructure(
                name=structure.name,
                role=structure.role,
                layer=places[structure.name].layer,
                label=places[structure.name].label,
                side=structure.side,
                centerline_lps_mm=structure.centerline_lps_mm,
                diameter_mm=structure.diameter_mm,
                origin=structure.origin,
            )
            for structure in case.structures
        ),
        phases={name: _write_volume(folder / phase_file(name), volume) for name, volume in case.phases.items()},
        contrast_enhanced=case.contrast_enhanced,
        acquired=case.acquired,
        geometry=case.geometry,
        clinical=case.clinical,
    )
    (folder / CASE).write_bytes(encode("case", stored))


def read_case_folder(folder: Path) -> Case:
    """The case that `write_case` wrote. Raises `DossierError` when a file is missing, damaged or inconsistent."""
    path = folder / CASE
    try:
        stored: StoredCase = decode("case", path.read_bytes(), source=path.name)
        ct = _read_volume(folder, stored.ct)
        labels = read_nifti(folder / stored.structures_file, ct.grid)
        masks = _masks(labels, stored.structures)
        return Case(
            case_id=stored.case_id,
            synthetic=stored.synthetic,
            ct=ct,
            structures=tuple(
                Structure(
                    name=item.name,
                    role=item.role,
                    inside=inside,
                    side=item.side,
                    centerline_lps_mm=item.centerline_lps_mm,
                    diameter_mm=item.diameter_mm,
                    origin=item.origin,
                )
                for item, inside in zip(stored.structures, masks, strict=True)
            ),
            phases={name: _read_volume(folder, volume) for name, volume in stored.phases.items()},
            contrast_enhanced=stored.contrast_enhanced,
            acquired=stored.acquired,
            geometry=stored.geometry,
            clinical=stored.clinical,
        )
    except FileNotFoundError as error:
        raise DossierError(f"{Path(error.filename).name} is missing", hint=RESTORE) from error
    except (CaseError, IndexError) as error:
        raise DossierError(f"the case is inconsistent: {error}", hint=RESTORE) from error


def _masks(labels: Array, structures: Sequence[StoredStructure]) -> Array:
    """[structure, i, j, k] the mask of each. Zeros that nobody writes take no memory: a structure is its box."""
    layers = [np.ascontiguousarray(labels[..., layer]) for layer in range(labels.shape[3])]
    boxes = [ndimage.find_objects(layer) for layer in layers]
    masks = np.zeros((len(structures), *labels.shape[:3]), dtype=bool)
    for item, inside in zip(structures, masks, strict=True):
        box = boxes[item.layer][item.label - 1] if 0 < item.label <= len(boxes[item.layer]) else None
        if box is not None:
            np.equal(layers[item.layer][box], item.label, out=inside[box])
    return masks


def phase_file(name: str) -> str:
    """The file of a phase's volume. Raises `CaseError` when its name is not made of letters, digits, - and _."""
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise CaseError(f"phase {name!r} cannot name a file", hint="use letters, digits, - and _")
    return f"phase-{name}.nii.gz"


def _write_volume(path: Path, volume: Volume) -> StoredVolume:
    write_nifti(path, compact(volume.values), volume.grid)
    return StoredVolume(
        file=path.name,
        unit=volume.unit,
        dtype=str(volume.values.dtype),
        shape=volume.grid.shape,
        lps_from_ijk=volume.grid.lps_from_ijk,
    )


def _read_volume(folder: Path, stored: StoredVolume) -> Volume:
    grid = Grid(shape=stored.shape, lps_from_ijk=stored.lps_from_ijk)
    values = read_nifti(folder / stored.file, grid)
    # NIfTI runs along i first; sums over another order would differ in their last digit.
    return Volume(grid=grid, values=np.ascontiguousarray(values, dtype=stored.dtype), unit=stored.unit)
