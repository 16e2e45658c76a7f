"""A case from files: the CT, the structures on its grid, the clinical context. Nothing that identifies the patient."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from trocar.errors import CaseError, ReadError
from trocar.imaging.resample import resample
from trocar.io.anatomy import named
from trocar.io.body import derived_body, derived_skin
from trocar.io.clinical import read_clinical, with_named_lesions, with_shifted_dates
from trocar.io.dicom import read_dicom
from trocar.io.dicom_files import read_header
from trocar.io.geometry import judged_overlap, said
from trocar.io.hounsfield import AIR_HU
from trocar.io.image import Image
from trocar.io.labels import read_label_map, read_mask, read_mask_folder, read_names
from trocar.io.nifti import is_nifti, read_nifti
from trocar.io.place import judged_places
from trocar.io.region import Region, require_distinct, require_possible_lesions, require_same_frame
from trocar.io.rtstruct import read_rtstruct
from trocar.io.seg import read_seg
from trocar.io.slicer import read_markups
from trocar.model.case import Case, Clinical, GeometryFinding, Role
from trocar.model.space import Volume

Found = tuple[list[Region], tuple[GeometryFinding, ...]]


def read_case(
    ct: Path | str,
    *,
    structures: Path | str | None = None,
    labels: Path | str | None = None,
    structure: Mapping[str, Path | str] | None = None,
    markups: Sequence[Path | str] = (),
    clinical: Path | str | Clinical | None = None,
    phases: Mapping[str, Path | str] | None = None,
    series: str | None = None,
    case_id: str | None = None,
    pseudonym_salt: str = "",
) -> Case:
    """The case that these files describe, pseudonymous, everything on the CT's grid.

    `ct` is a DICOM folder (`series` chooses among several) or a NIfTI file in HU; `structures` a NIfTI label map (named
    by `labels`), a folder of masks named by their files, a DICOM SEG or an RTSTRUCT; `structure` one mask per name;
    `markups` Slicer curves of nerves; `phases` further CT phases, resampled onto the CT. Where no body or skin is given
    they are derived from HU, and said.

    Dates of a DICOM case and of its clinical context are shifted alike; `pseudonym_salt` is a hospital's own secret,
    without which shifts could be recomputed from a patient number. `Case.geometry` holds what was noted or repaired.

    Raises `ReadError`, `GeometryError` or `CaseError` with a hint when the files cannot be one case.
    """
    image = _read_image(Path(ct), series=series, salt=pseudonym_salt, subject="ct")
    regions, findings = _read_structures(image, structures, labels)
    for name, path in (structure or {}).items():
        region, seen = _read_mask(Path(path), named(name), image)
        regions.append(region)
        findings += seen
    for path in markups:
        tubes, seen = read_markups(Path(path), image.volume.grid)
        regions += tubes
        findings += seen
    require_distinct(regions)
    require_possible_lesions(regions, image.volume.grid)
    outline, derived = _outline(regions, image.volume)
    findings += judged_places(regions, next((r for r in regions + outline if r.role is Role.BODY), None), image.volume)
    volumes, noted = _read_phases(phases or {}, image, pseudonym_salt)
    return Case(
        case_id=case_id or image.pseudonym,
        ct=image.volume,
        structures=tuple(region.structure(image.volume.grid) for region in regions + outline),
        clinical=_clinical(clinical, image.date_shift_d, regions),
        phases=volumes,
        acquired=image.acquired,
        geometry=(*image.findings, *findings, *derived, *noted),
        contrast_enhanced=image.contrast_enhanced,
    )


def _read_image(path: Path, *, series: str | None, salt: str, subject: str) -> Image:
    if not path.exists():
        raise ReadError(f"there is nothing at {path}", hint="check the path")
    if path.is_file() and is_nifti(path):
        return read_nifti(path, salt=salt, subject=subject)
    return read_dicom(path, series=series, salt=salt, subject=subject)


def _read_structures(image: Image, structures: Path | str | None, labels: Path | str | None) -> Found:
    if structures is None:
        if labels is not None:
            raise CaseError("labels are given without structures", hint="add --structures, or leave --labels out")
        return [], ()
    path, label_path = Path(structures), Path(labels) if labels else None
    if path.is_dir():
        if any(is_nifti(file) for file in path.iterdir()):
            if labels is not None:
                raise CaseError(
                    "labels are given for a folder of masks, which are named by their files",
                    hint="leave --labels out and rename the masks, or give one label map",
                )
            return read_mask_folder(path, image.volume.grid)
        path = _only_file(path)
    if is_nifti(path):
        return read_label_map(path, image.volume.grid, labels=label_path)
    names = read_names(label_path) if label_path else None
    frame_uid = image.frame_of_reference_uid
    match _modality(path):
        case "SEG":
            return read_seg(path, image.volume.grid, frame_of_reference_uid=frame_uid, names=names)
        case "RTSTRUCT":
            return read_rtstruct(path, image.volume.grid, frame_of_reference_uid=frame_uid, names=names)
        case other:
            raise ReadError(
                f"{path.name} holds no structures (modality {other})",
                hint="give a NIfTI label map, a DICOM SEG or an RTSTRUCT",
            )


def _only_file(folder: Path) -> Path:
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise ReadError(f"{folder.name} is a folder of {len(files)} files", hint="give the file of the structures")
    return files[0]


def _modality(path: Path) -> str:
    header = read_header(path)
    is_structure_set = header.get("SOPClassUID") == "1.2.840.10008.5.1.4.1.1.481.3"
    return str(header.get("Modality") or ("RTSTRUCT" if is_structure_set else "unknown"))


def _read_mask(path: Path, name: str, image: Image) -> tuple[Region, tuple[GeometryFinding, ...]]:
    if not is_nifti(path):
        raise ReadError(
            f"the mask of {name} ({path.name}) is not NIfTI", hint="give a DICOM SEG or RTSTRUCT with --structures"
        )
    return read_mask(path, name, image.volume.grid, subject=f"structure {name}")


def _outline(regions: list[Region], ct: Volume) -> Found:
    """The body and the skin where they are not given."""
    body = next((region for region in regions if region.role is Role.BODY), None)
    made: list[Region] = []
    if body is None:
        body = derived_body(ct)
        made += [body] if body else []
    if body is not None and not any(region.role is Role.SKIN for region in regions):
        skin = derived_skin(body, ct.grid)
        made += [skin] if skin.part.any() else []
    if body is None:
        message = "no body was found: nothing on the CT is denser than fat and thick enough"
        return [], (said("structures", "no_body", 0, limit=1, unit="1", message=message),)
    if not made:
        return [], ()
    message = f"{' and '.join(region.name for region in made)} derived from the CT's values, not drawn"
    return made, (said("structures", "derived_outline", len(made), limit=0, unit="1", message=message),)


def _read_phases(
    phases: Mapping[str, Path | str], image: Image, salt: str
) -> tuple[dict[str, Volume], tuple[GeometryFinding, ...]]:
    """The phases resampled onto the CT's grid, trilinear, and what was said of them."""
    volumes: dict[str, Volume] = {}
    findings: tuple[GeometryFinding, ...] = ()
    for name, path in phases.items():
        subject = f"phase {named(name)}"
        phase = _read_image(Path(path), series=None, salt=salt, subject=subject)
        findings += phase.findings
        findings += require_same_frame(subject, phase.frame_of_reference_uid, image.frame_of_reference_uid)
        volume = phase.volume
        findings += judged_overlap(subject, volume.grid, image.volume.grid)
        if not volume.grid.matches(image.volume.grid, tolerance_mm=0.01):
            message = "phase resampled onto the planning CT's grid (trilinear)"
            edge_mm = float(volume.grid.spacing_mm.max())
            findings += (said(subject, "resampled", edge_mm, limit=0, unit="mm", message=message, repaired=True),)
            volume = resample(volume, image.volume.grid, outside=AIR_HU)
        if named(name) in volumes:
            raise CaseError(f"{subject} is given twice", hint="name each phase once")
        volumes[named(name)] = volume
    return volumes, findings


def _clinical(clinical: Path | str | Clinical | None, shift_d: int, regions: list[Region]) -> Clinical:
    """The context with its dates moved like the images'. Raises `CaseError` when it speaks of a lesion nobody drew."""
    if clinical is None:
        return Clinical()
    context = with_named_lesions(clinical) if isinstance(clinical, Clinical) else read_clinical(clinical)
    drawn = [region.name for region in regions if region.role is Role.LESION]
    unknown = [lesion.name for lesion in context.lesion if lesion.name not in drawn]
    if unknown:
        raise CaseError(
            f"the clinical context speaks of {', '.join(unknown)}, which no structure shows",
            hint=f"lesions drawn: {', '.join(drawn) or 'none'}; make the names equal",
        )
    return with_shifted_dates(context, shift_d)
