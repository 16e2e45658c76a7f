"""The instruments of a heating step on a lattice: their channels, and whether the lattice and the tissue allow them."""

from collections.abc import Iterator

import numpy as np

from trocar.catalog import device
from trocar.catalog.applicators import antenna, electrode, finest_mm, heating_segments, poles, radiating, radius_mm
from trocar.errors import CaseError, CatalogError
from trocar.imaging.resample import sample
from trocar.materials import INSULATOR_S_PER_M, Electrical, TissueMap, microwave_maps, radiofrequency_map
from trocar.model.case import Case
from trocar.model.device import MicrowaveAntenna
from trocar.model.finding import Check, Verdict
from trocar.model.space import Array, Grid, Segment
from trocar.model.state import TissueState
from trocar.model.treatment import Placement, Step, Technique
from trocar.physics.antenna import Antenna
from trocar.physics.coolant import Coolant
from trocar.physics.electric import Bipolar, Electrode, GroundedFaces
from trocar.simulation.applicators import applicators, line_of
from trocar.simulation.channels import Axis, Channel, CurrentChannel, WaveChannel
from trocar.simulation.exposure import trilinear

KNOWN_WITHIN_MM = 10.0  # of an electrode: tissue whose electrical value is unknown decides the result there [design]
CELLS_WITHIN = 3.0  # of the smallest length of an instrument [design]
FEWEST_CELLS = 1.0  # below it the instrument is another one
IN_TISSUE_FRAC = 0.97
AXIS_STEP_MM = 0.5


def channels(case: Case, tissue: TissueMap, step: Step, state: TissueState) -> tuple[Channel, ...]:
    """One per instrument of the step.

    Raises `CaseError` for a lattice too coarse, `CatalogError` for a device or a tissue that is not known enough.
    """
    placed = applicators(step)
    for placement in placed:
        _require_resolved(placement, tissue.grid)
    if step.technique is Technique.RADIOFREQUENCY:
        found = _electrical(case, tissue.grid, state)
        _require_way_out(found)
        _require_known_around(placed, found, tissue.grid)
        return tuple(_current(placement, found, tissue.grid) for placement in placed)
    return tuple(_wave(case, placement, tissue, state) for placement in placed)


def instrument_checks(case: Case, tissue: TissueMap, step: Step, state: TissueState) -> Iterator[Check]:
    """Whether each instrument lies in tissue, whether the lattice sees its parts, and what tissue is unknown."""
    gas = ~np.isfinite(tissue.medium.unfrozen_W_per_mK) if tissue.medium.outside is None else tissue.medium.outside
    spacing_mm = float(tissue.grid.spacing_mm[0])
    for placement in applicators(step):
        points = _along(heating_segments(placement))
        within = 1.0 - float(sample(gas.astype(np.float32), tissue.grid, points, outside=1.0).mean())
        yield Check(
            name="probe_in_tissue", subject=placement.name, value=round(within, 3), limit=1.0, unit="1",
            verdict=Verdict.PASS if within > IN_TISSUE_FRAC else Verdict.FAIL, source="software default",
            message="" if within > IN_TISSUE_FRAC else "part of its active length lies outside the body",
        )  # fmt: skip
        cells = finest_mm(placement) / spacing_mm
        yield Check(
            name="lattice_resolves_probe", subject=placement.name, value=round(cells, 2), limit=CELLS_WITHIN,
            unit="", verdict=Verdict.PASS if cells >= CELLS_WITHIN else Verdict.WARN, source="software default",
            message="cells along its smallest part",
        )  # fmt: skip
    if step.technique is Technique.RADIOFREQUENCY:
        yield from _unknown_tissue(step, _electrical(case, tissue.grid, state))


def caveats(step: Step) -> tuple[str, ...]:
    """What the model of the step's instruments does not know."""
    found = []
    for placement in applicators(step):
        made = device(placement.device)
        if isinstance(made, MicrowaveAntenna):
            found += ["antenna_prior"] if made.model_prior else []
            continue
        form = electrode(placement)
        found += ["array_shape_prior"] if form.form == "array" else []
        if form.cooled:
            found.append("electrode_cooling_not_simulated" if form.coolant_degC is None else "coolant_prior")
        found += ["dispersive_pad_far_away"] if form.form != "bipolar" else []
    return tuple(dict.fromkeys(found))


def _current(placement: Placement, found: Electrical, grid: Grid) -> CurrentChannel:
    metal = tuple(
        Electrode(lines=tuple(line_of(piece, radius_mm(placement), grid) for piece in pole))
        for pole in poles(placement)
    )
    return CurrentChannel(
        name=placement.name,
        base_S_per_m=found.values,
        electrodes=metal,
        return_path=Bipolar() if len(metal) == 2 else GroundedFaces(),
        spacing_m=float(grid.spacing_mm[0]) / 1000.0,
        coolant=_coolant(placement),
    )


def _coolant(placement: Placement) -> Coolant | None:
    made = electrode(placement)
    if made.coolant_degC is None:
        return None
    return Coolant(degC=made.coolant_degC, exchange_W_per_m2K=made.coolant_W_per_m2K)


def _wave(case: Case, placement: Placement, tissue: TissueMap, state: TissueState) -> WaveChannel:
    made, grid = antenna(placement), tissue.grid
    frequency_MHz = made.frequency_MHz or 0.0
    permittivity, conductivity = microwave_maps(
        case, grid, frequency_MHz, implants=state.implants, cement_frac=_cement(state), shield=state.shield,
        oil_frac=state.oil_frac,
    )  # fmt: skip
    _require_known_around((placement,), permittivity, grid)
    line = line_of(radiating(placement), placement.diameter_mm / 2, grid)
    free = ~tissue.medium.held & ~permittivity.metal
    for axis in range(3):  # the lattice's wall takes no heat
        for index in (0, 1, -2, -1):
            free[tuple(index if a == axis else slice(None) for a in range(3))] = False
    return WaveChannel(
        name=placement.name,
        antenna=Antenna(line=line, efficiency_frac=made.efficiency_frac or 0.0),
        permittivity=permittivity.values,
        conductivity_S_per_m=conductivity.values,
        frequency_Hz=1e6 * frequency_MHz,
        spacing_m=float(grid.spacing_mm[0]) / 1000.0,
        free=free,
        axis=_axis(placement, grid),
    )


def _electrical(case: Case, grid: Grid, state: TissueState) -> Electrical:
    return radiofrequency_map(
        case, grid, implants=state.implants, cement_frac=_cement(state), shield=state.shield, oil_frac=state.oil_frac
    )


def _cement(state: TissueState) -> Array | None:
    return state.cement_frac if state.cement_frac.any() else None


def _axis(placement: Placement, grid: Grid) -> Axis:
    return Axis(*trilinear(_along(heating_segments(placement)), grid))


def _along(segments: tuple[Segment, ...]) -> Array:
    """(n, 3) points on the segments."""
    steps = [np.linspace(0, s.length_mm, max(2, int(np.ceil(s.length_mm / AXIS_STEP_MM)))) for s in segments]
    return np.stack([segment.at(at) for segment, along in zip(segments, steps, strict=True) for at in along])


def _require_resolved(placement: Placement, grid: Grid) -> None:
    spacing_mm, smallest = float(grid.spacing_mm[0]), finest_mm(placement)
    if smallest < FEWEST_CELLS * spacing_mm:
        raise CaseError(
            f"{spacing_mm:g} mm is too coarse a lattice for {placement.name}: its smallest part is {smallest:g} mm",
            hint=f"simulate at {smallest / CELLS_WITHIN:.1f} mm or finer",
        )


def _require_way_out(found: Electrical) -> None:
    """Raises `CaseError` where gas surrounds the simulated box: a dispersive pad could not be reached."""
    conducts = found.values > 10 * INSULATOR_S_PER_M
    if not any(np.take(conducts, side, axis=axis).any() for axis in range(3) for side in (0, -1)):
        raise CaseError(
            "no tissue reaches the faces of the simulated box, so the current has no way to its pad",
            hint="check that the CT shows the body around the electrode",
        )


def _require_known_around(placed: tuple[Placement, ...], found: Electrical, grid: Grid) -> None:
    """Raises `CatalogError` for tissue beside an instrument whose electrical value nobody has stated."""
    if not found.unknown.any():
        return
    points = grid.to_lps(np.argwhere(found.unknown))
    for placement in placed:
        distance = min(float(s.distance_mm(points).min()) for s in heating_segments(placement))
        if distance < KNOWN_WITHIN_MM:
            raise CatalogError(
                f"{placement.name} lies {distance:.0f} mm from {', '.join(found.unknown_names)}, "
                "whose electrical values are unknown",
                hint="what such a fluid conducts depends on what it is: move the instrument, or add the values",
            )


def _unknown_tissue(step: Step, found: Electrical) -> Iterator[Check]:
    if found.unknown.any():
        yield Check(
            name="tissue_electrical_values", subject=step.id, value=round(float(found.unknown.mean()), 5), limit=0.0,
            unit="1", verdict=Verdict.UNKNOWN, source="software default",
            message=f"taken as muscle, no nearer than {KNOWN_WITHIN_MM:g} mm: {', '.join(found.unknown_names)}",
        )  # fmt: skip
