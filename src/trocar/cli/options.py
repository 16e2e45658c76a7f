"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DossierFolder = Annotated[Path, typer.Argument(metavar="DOSSIER", help="The dossier's folder.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object to standard output, and nothing else.")]
ProposalNumber = Annotated[
    int | None,
    typer.Option("--proposal", metavar="N", help="Plan the N-th option of the ranked list, instead of the first."),
]
Seed = Annotated[
    int | None, typer.Option(metavar="NUMBER", help="Seed of everything random; the same seed gives the same plan.")
]
GuidanceName = Annotated[
    str | None,
    typer.Option(
        "--guidance", metavar="NAME", help="How instruments are led: navigated or freehand; as the case says at first."
    ),
]
PlacementErrorMm = Annotated[
    float | None,
    typer.Option(
        "--placement-error-mm",
        metavar="MM",
        min=0.1,
        max=20.0,
        help="Error kept free around every instrument, in place of the guidance's own.",
    ),
]
SpacingMm = Annotated[
    float | None,
    typer.Option("--spacing-mm", metavar="MM", min=0.5, max=5.0, help="Voxel edge of the simulation, 1 mm at first."),
]
Phantom = Annotated[
    str | None,
    typer.Option(
        "--phantom",
        metavar="MG=HU,...",
        help="Calibration phantom in the CT: HU of each rod by its density in mg/cm3; without it air, fat and muscle.",
    ),
]
