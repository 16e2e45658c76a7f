"""The entries of a dossier: what each is made from, and its files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from trocar.io.case_folder import read_case_folder, write_case
from trocar.io.codec import decode, encode
from trocar.io.stored import Proposals

# What each entry is made from, in the order of the workflow; a later entry never feeds an earlier one.
NEEDS: dict[str, tuple[str, ...]] = {
    "case": (),
    "assessment": ("case",),
    "proposals": ("case", "assessment"),
    "plan": ("case", "proposals"),
    "simulation": ("case", "plan"),
    "strength": ("case", "plan"),
    "control": (),
    "verification": ("case", "plan", "control"),
    "as_done": ("case", "verification"),
    "report": ("case",),
}
# What an entry also uses when it is there.
USES: dict[str, tuple[str, ...]] = {
    "strength": ("simulation",),
    "verification": ("simulation",),
    "report": ("assessment", "proposals", "plan", "simulation", "strength", "verification"),
}
DOCUMENT_OF = {name: name for name in ("assessment", "proposals", "plan", "simulation", "strength", "verification")} | {
    "as_done": "simulation"
}
WITH_FIELDS = ("simulation", "verification", "as_done")


MADE_BY = {
    "case": "trocar new",
    "assessment": "trocar assess",
    "proposals": "trocar propose",
    "plan": "trocar plan",
    "simulation": "trocar simulate",
    "strength": "trocar strength",
    "control": "trocar verify --control",
    "verification": "trocar verify",
    "as_done": "trocar verify",
    "report": "trocar report",
}


def owns(name: str, file: str) -> bool:
    """Whether a file or folder, relative to the dossier, may be one of an entry's: only such are moved or removed."""
    plain = file not in ("", ".", "..") and not set(file) & set("/\\:\0")
    match name:
        case "case":
            return plain and (file == "case.json" or file.endswith(".nii.gz"))
        case "control":
            return file == name
        case "report":
            return file == "report.html"
        case _:
            return file in (f"{name}.json", f"{name}.zarr")


def store(name: str, noun: Any, folder: Path) -> None:
    """Write an entry's files into a folder. `noun` is a tuple of proposals for `proposals`, HTML text for `report`."""
    match name:
        case "case":
            write_case(folder, noun)
        case "control":
            (folder / name).mkdir()
            write_case(folder / name, noun)
        case "report":
            (folder / "report.html").write_text(noun, encoding="utf-8", newline="\n")
        case _:
            record = Proposals(proposals=tuple(noun)) if name == "proposals" else noun
            (folder / f"{name}.json").write_bytes(encode(DOCUMENT_OF[name], record))
            if name in WITH_FIELDS and noun.fields:
                from trocar.io.fields import write_fields

                write_fields(folder / f"{name}.zarr", noun.fields)


def load(name: str, folder: Path, *, arrays: bool = True) -> Any:
    """The noun that `store` wrote, with its fields or without. Raises `DossierError` when a file is damaged."""
    match name:
        case "case":
            return read_case_folder(folder)
        case "control":
            return read_case_folder(folder / name)
        case "report":
            return (folder / "report.html").read_text(encoding="utf-8")
    path = folder / f"{name}.json"
    noun = decode(DOCUMENT_OF[name], path.read_bytes(), source=path.name)
    if isinstance(noun, Proposals):
        return noun.proposals
    if arrays and name in WITH_FIELDS and (stored := path.with_suffix(".zarr")).exists():
        from trocar.io.fields import read_fields

        return replace(noun, fields=read_fields(stored))
    return noun
