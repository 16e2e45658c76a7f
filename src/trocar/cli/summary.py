"""Nouns as a few lines for a person, and as values for `--json`."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from trocar.assessment.prefill import Filled
from trocar.io.dossier import Dossier, State
from trocar.model.case import Case, GeometryFinding, unknown_fields
from trocar.model.device import AnyDevice
from trocar.model.finding import Assessment, Check, Simulation
from trocar.model.treatment import Plan, Proposal
from trocar.model.verification import Verification
from trocar.reporting.directions import sign

NAMED = 3  # of the files or structures of which the reader says the same
CHECKED = ("assessment", "plan", "simulation", "strength", "verification", "as_done")
OPTIONAL = ("strength", "control", "verification", "as_done")


def case_lines(case: Case) -> Iterator[str]:
    """What was read, and everything the reader has to say about the geometry."""
    size = " x ".join(str(count) for count in case.grid.shape)
    spacing = " x ".join(f"{edge:.3g}" for edge in case.grid.spacing_mm)
    yield f"{case.case_id}: {size} voxels of {spacing} mm, {len(case.structures)} structures"
    if not case.lesions:
        yield "no lesion: give the tumor's mask with --structure lesion_1=PATH before planning"
    yield from geometry_lines(case.geometry)


def geometry_lines(findings: Iterable[GeometryFinding]) -> Iterator[str]:
    """What the reader noted or repaired, of which files or structures; what is the same of many is told once."""
    subjects: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        subjects.setdefault((finding.severity.value, finding.message), []).append(finding.subject)
    for (severity, message), of in subjects.items():
        others = f" and {len(of) - NAMED} others" if len(of) > NAMED + 1 else ""
        yield f"{severity}: {', '.join(of[:NAMED] if others else of)}{others}: {message}"


def filled_lines(filled: Iterable[Filled]) -> Iterator[str]:
    """What the image answered in the clinical context."""
    for item in filled:
        shown = " x ".join(map(str, item.value)) if isinstance(item.value, tuple) else item.value
        yield f"{item.lesion}.{item.field} = {shown} from the image ({item.how}); correct it in the clinical file"


def missing_lines(case: Case) -> Iterator[str]:
    """What the rules need and nobody has said, and why it matters; the rest of the minimum data set is counted."""
    absent = missing_values(case)
    for item in absent:
        if item["asked_by_rules"]:
            yield f"missing {item['field']}: {item['why']['en']}"
    others = [item["field"] for item in absent if not item["asked_by_rules"]]
    if others:
        yield f"{len(others)} more fields of the minimum data set are unknown: {', '.join(others)}"


def missing_values(case: Case) -> list[dict[str, Any]]:
    """The same for `--json`, every field."""
    from trocar.catalog.minimum import asked_by_rules, minimum_data, without_a_meaning

    wanted, asked, pointless = minimum_data(), asked_by_rules(), without_a_meaning(case.clinical)
    pointless |= {"decision.planning_ct_date"} if case.acquired else set()
    return [
        {
            "field": field,
            "asked_by_rules": field in asked,
            "label": dataclasses.asdict(wanted[field].label),
            "why": dataclasses.asdict(wanted[field].why),
        }
        for field in unknown_fields(case.clinical)
        if field in wanted and field not in pointless
    ]


def finding_lines(dossier: Dossier, entry: str) -> Iterator[str]:
    """The result of one stage."""
    noun = dossier.read(entry, arrays=False)
    if entry == "proposals":
        for place, option in enumerate(noun, start=1):
            yield from _proposal_lines(place, option)
        return
    match noun:
        case Assessment():
            yield from _assessment_lines(noun)
        case Plan():
            yield from _plan_lines(noun)
        case Simulation():
            yield from _simulation_lines(noun)
        case Verification():
            yield from _verification_lines(noun)
        case str():
            yield str(dossier.folder / "report.html")
            return
    for check in noun.all_checks():
        yield check_line(check)


def check_line(check: Check) -> str:
    """A check as one line: verdict, what, value against limit, source."""
    subject = f" {check.subject}" if check.subject else ""
    value = f" = {check.value:.4g} {check.unit}".rstrip() if check.value is not None else ""
    bound = "" if check.limit is None else f"{sign(check.name)} {check.limit:.4g} {check.unit}".strip()
    limit = f" (limit {bound}, {check.source})" if bound else ""
    message = f": {check.message}" if check.message else ""
    return f"{check.verdict.value:7} {check.name}{subject}{value}{limit}{message}"


def failed_checks(dossier: Dossier) -> list[tuple[str, Check]]:
    """Every failed check of the dossier with the entry it belongs to."""
    found = []
    for entry in CHECKED:
        if entry in dossier:
            found += [(entry, check) for check in dossier.read(entry, arrays=False).failed]
    return found


def status_rows(dossier: Dossier) -> Iterator[tuple[str, ...]]:
    """A table: entry, state, made when, failing checks, why it is stale."""
    failed = [entry for entry, _ in failed_checks(dossier)]
    for item in dossier.status():
        if item.name in OPTIONAL and item.state is State.MISSING:
            continue
        count = failed.count(item.name)
        yield (
            item.name,
            item.state.value,
            item.made_when or "",
            f"{count} failed" if count else "",
            ", ".join(item.reasons),
        )


def status_values(dossier: Dossier) -> dict[str, Any]:
    """The same for `--json`, with the failed checks themselves."""
    failed = failed_checks(dossier)
    return {
        "schema": "trocar/status/1",
        "entries": [
            {
                **dataclasses.asdict(item),
                "digest": dossier.digest(item.name) if item.name in dossier else None,
                "failed": [dataclasses.asdict(check) for entry, check in failed if entry == item.name],
            }
            for item in dossier.status()
        ],
        "approvals": [
            {"approved_by": approval.approved_by, "approved_when": approval.approved_when, "stands": stands}
            for approval, stands in dossier.approvals()
        ],
    }


def device_values(device: AnyDevice) -> dict[str, Any]:
    """A device for `--json`; unknown facts are null."""
    return dataclasses.asdict(device)


def device_lines(device: AnyDevice) -> Iterator[str]:
    """A device, each known figure with its source."""
    yield f"{device.id}: {device.name} ({device.manufacturer or 'generic'})"
    for item in dataclasses.fields(device):
        value = getattr(device, item.name)
        if item.name in ("id", "name", "manufacturer", "sources", "notes") or value in (None, (), ""):
            continue
        shown = f"{len(value)} lines" if item.name in ("isotherms", "zones") else value
        yield f"  {item.name} = {shown}  {_source(device, item.name)}".rstrip()
    if device.notes:
        yield f"  {device.notes}"


def _source(device: AnyDevice, name: str) -> str:
    return f"[{device.sources[name]}]" if name in device.sources else ""


def _assessment_lines(assessment: Assessment) -> Iterator[str]:
    for lesion in assessment.lesions:
        diameters = " x ".join(f"{diameter:.0f}" for diameter in lesion.diameters_mm)
        parts = lesion.compartments
        side = f", {lesion.side.value}" if lesion.side else ""
        yield (
            f"{lesion.name}{side}: {lesion.volume_ml:.1f} ml, {diameters} mm, "
            f"{parts.bone_ml:.1f} ml in bone, {parts.soft_tissue_ml:.1f} ml in soft tissue"
        )
        for neighbor in sorted(lesion.neighbors, key=lambda near: near.distance_mm)[:5]:
            yield f"  {neighbor.name} at {neighbor.distance_mm:.1f} mm"
    for score in assessment.scores:
        total = "unknown" if score.total is None else f"{score.total:g} of {score.maximum:g}"
        total = f"class {score.grade}" if score.grade else total
        missing = ", ".join(item.item.replace("_", " ") for item in score.items if item.points is None)
        yield f"{score.name} ({score.lesion}): {total}" + (f", missing: {missing}" if missing else "")


def _proposal_lines(place: int, option: Proposal) -> Iterator[str]:
    yield f"{place}. {option.lesion}: {option.verdict.value}. {option.summary.en}"
    for technique in option.techniques:
        yield f"   {technique.technique.value}: {technique.status.value.replace('_', ' ')}"
    for missing in option.missing:
        yield f"   missing {missing.field}: {missing.why.en}"


def _plan_lines(plan: Plan) -> Iterator[str]:
    if not plan.approvable:
        yield f"draft, not to be approved: {', '.join(plan.blocked_by) or 'a hard check failed'}"
    for step in plan.steps:
        yield f"{step.id}: {len(step.placements)} placements, about {step.duration_min.typical:.0f} min"
        for placement in step.placements:
            yield f"  {placement.name}: {placement.device}, {placement.length_mm:.0f} mm"


def _simulation_lines(simulation: Simulation) -> Iterator[str]:
    for state in simulation.states:
        if state.zones:
            yield f"{state.step} {state.moment} ({state.time_s / 60:.0f} min), {state.lesion}:"
        for name, zone in state.zones.items():
            yield f"  {name}: {zone.volume_ml:.1f} ml, {zone.coverage_frac.lesion:.0%} of the lesion"


def _verification_lines(verification: Verification) -> Iterator[str]:
    registration = verification.registration
    residual = "unknown" if registration.residual_mm is None else f"{registration.residual_mm:.2f} mm"
    yield f"registration ({registration.method}): residual {residual}"
    for placement in verification.placements:
        if placement.tip_error_mm is None or placement.angle_error_deg is None:
            yield f"  {placement.name}: not found"
        else:
            yield f"  {placement.name}: tip {placement.tip_error_mm:.1f} mm, {placement.angle_error_deg:.1f} deg"
    for margin in verification.margins:
        low, high = margin.interval_mm
        yield f"{margin.zone}: minimal margin {margin.minimum_mm:.1f} mm ({low:.1f} to {high:.1f})"
