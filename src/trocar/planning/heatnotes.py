"""What a plan says of a heating step: checks of its prediction and its setting, and sentences."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trocar.catalog import limit
from trocar.catalog.devicenames import device_name
from trocar.catalog.ladders import Rung
from trocar.catalog.tolerances import HOT_LIMIT_OF_ROLE
from trocar.model.case import Role
from trocar.model.finding import Check, Verdict
from trocar.model.segmented import OTHER_NERVES, is_segmented, knows_nerves
from trocar.model.treatment import Step, Text
from trocar.planning.coverage import share_check
from trocar.planning.freezing import lethal_share_key
from trocar.planning.hotoutlook import HotOutlook
from trocar.planning.leftover import leftover
from trocar.planning.surroundings import Surroundings
from trocar.planning.warming import setting_text

if TYPE_CHECKING:
    from trocar.planning.heat import Tried

REACHED_WITHIN_K = 2.0  # of a temperature to be kept, as its controller counts it
UNPREDICTED = "no prediction was made while planning"


def checks(around: Surroundings, step: Step, rung: Rung, seen: HotOutlook | None, intent: str) -> tuple[Check, ...]:
    """Coverage, structures and skin as predicted, whether the setting is reached, and how sure it is."""
    found = [_setting_check(step, rung), *_nerve_checks(around, seen)]
    key = lethal_share_key(intent)
    if seen is None:
        return (*found, _unknown("coverage_planned_coagulated", around.lesion.name, key, "1"))
    how = f"predicted at {seen.spacing_mm:g} mm"
    shares = [("coverage_planned_coagulated", seen.lethal_frac)]
    if intent == "curative":
        shares.append(("margin_planned_coagulated", seen.shell_frac))
    elif seen.border_frac is not None:
        shares.append(("bone_border_planned", seen.border_frac))
    found += [share_check(name, around.lesion.name, value, key, how) for name, value in shares]
    found += [*_hottest_of_others(seen, how), *_skin_burn(around, seen, how), *_reached(step, rung, seen)]
    return tuple(found)


def _setting_check(step: Step, rung: Rung) -> Check:
    """A warning for a setting that no maker's table states."""
    return Check(
        name="heating_setting_sure",
        subject=step.placements[0].device,
        value=float(rung.sure),
        limit=1.0,
        unit="count",
        verdict=Verdict.PASS if rung.sure else Verdict.WARN,
        source=rung.source,
        message="" if rung.sure else "recalled or chosen: compare it with the instructions for use",
    )


def _nerve_checks(around: Surroundings, seen: HotOutlook | None) -> Iterator[Check]:
    """The hottest nerve or cord; UNKNOWN where no nerve is segmented, whatever the canal's temperature."""
    known = knows_nerves(around.case, around.lesion.name)
    if seen is None:
        yield _of_nerve("", None, Verdict.UNKNOWN, UNPREDICTED)
        return
    if not known:
        why = OTHER_NERVES if is_segmented(around.case, Role.NERVE) else "no nerve is segmented"
        yield _of_nerve("", None, Verdict.UNKNOWN, why)
    degC = seen.nerve_degC
    if degC is not None:
        hard, warn = limit("nerve_max_degC").value, limit("nerve_warn_max_degC").value
        verdict = Verdict.FAIL if degC > hard else Verdict.WARN if degC > warn else Verdict.PASS
        yield _of_nerve(seen.hottest_nerve, degC, verdict, f"predicted at {seen.spacing_mm:g} mm")
    elif known:
        yield _of_nerve("", 37.0, Verdict.PASS, "none within reach of the heat")


def _of_nerve(name: str, degC: float | None, verdict: Verdict, message: str) -> Check:
    bound = limit("nerve_max_degC")
    return Check(
        name="nerve_maximum_temperature_planned",
        subject=name,
        value=None if degC is None else round(degC, 1),
        limit=bound.value,
        unit="degC",
        verdict=verdict,
        source=bound.source,
        message=message,
    )


def _hottest_of_others(seen: HotOutlook, how: str) -> Iterator[Check]:
    """The structure other than a nerve that comes nearest to its limit."""
    if not seen.others_degC:
        return
    name, role, degC, hard = max(seen.others_degC, key=lambda each: each[2] - each[3])
    yield Check(
        name="structure_maximum_temperature_planned",
        subject=name,
        value=round(degC, 1),
        limit=hard,
        unit="degC",
        verdict=Verdict.PASS if degC <= hard else Verdict.FAIL,
        source=limit(HOT_LIMIT_OF_ROLE[role]).source,
        message=how,
    )


def _skin_burn(around: Surroundings, seen: HotOutlook, how: str) -> Iterator[Check]:
    if seen.skin_omega is not None:
        bound = limit("skin_burn_omega")
        yield Check(
            name="skin_burn_planned",
            subject="skin",
            value=round(seen.skin_omega, 4),
            limit=bound.value,
            unit="1",
            verdict=Verdict.FAIL if seen.skin_omega >= bound.value else Verdict.PASS,
            source=bound.source,
            message=how,
        )


def _reached(step: Step, rung: Rung, seen: HotOutlook) -> Iterator[Check]:
    """Whether each applicator gets as hot as it is set to, within its limit of power."""
    if rung.unit != "degC" or rung.setting is None:
        return
    for placement, peak_degC in zip(step.placements, seen.peaks_degC, strict=True):
        yield Check(
            name="temperature_reached_planned",
            subject=placement.name,
            value=round(peak_degC, 1),
            limit=rung.setting,
            unit="degC",
            verdict=Verdict.PASS if peak_degC >= rung.setting - REACHED_WITHIN_K else Verdict.WARN,
            source=rung.source,
            message=f"predicted at {seen.spacing_mm:g} mm",
        )


def _unknown(name: str, subject: str, key: str, unit: str) -> Check:
    bound = limit(key)
    return Check(
        name=name, subject=subject, value=None, limit=bound.value, unit=unit, verdict=Verdict.UNKNOWN,
        source=bound.source, message=UNPREDICTED,
    )  # fmt: skip


# --- sentences


def device_text(step: Step, rung: Rung) -> Text:
    """Which applicators, how many, set to what."""
    name, count, setting = device_name(step.placements[0].device), len(step.placements), setting_text(rung)
    return Text(en=f"{count} x {name.en}: {setting.en}.", fr=f"{count} x {name.fr} : {setting.fr}.")


def notes(around: Surroundings, seen: HotOutlook | None) -> tuple[Text, ...]:
    """What is left uncovered, how much dies in all, and that heat is not seen on CT."""
    unseen = Text(
        en="Heat is not seen on CT while it is given: thermocouples at what must be spared, contrast CT at the end.",
        fr="La chaleur ne se voit pas au scanner pendant le tir : thermocouples près de ce qui doit être épargné, "
        "scanner injecté à la fin.",
    )
    if seen is None:
        return (unseen,)
    tumor_ml = float(around.in_lesion.sum()) * around.grid.voxel_ml
    in_all = Text(
        en=f"Coagulated in all: {seen.zone_ml:.0f} ml, for a tumor of {tumor_ml:.0f} ml.",
        fr=f"Coagulé en tout : {seen.zone_ml:.0f} ml, pour une tumeur de {tumor_ml:.0f} ml.",
    )
    return (*leftover(around, seen), in_all, unseen)


def compared(tried: Sequence["Tried"], chosen: "Tried", asked: int) -> tuple[Text, ...]:
    """Each kind of applicator at its best, and how many predictions that took."""
    rows = [(each, *_figures(each)) for each in tried]
    en = "; ".join(f"{_set(each).en}: {told}" for each, told, _ in rows)
    fr = " ; ".join(f"{_set(each).fr} : {told}" for each, _, told in rows)
    last, at_mm = _figures(chosen), f"{chosen.outlook.spacing_mm:g}"
    return (
        Text(
            en=f"Applicators compared ({asked} predictions): {en}. Chosen, at "
            f"{at_mm} mm: {_set(chosen).en}: {last[0]}.",
            fr=f"Applicateurs comparés ({asked} prédictions) : {fr}. Retenu, à "
            f"{at_mm.replace('.', ',')} mm : {_set(chosen).fr} : {last[1]}.",
        ),
    )


def _set(each: "Tried") -> Text:
    """How many of which applicator, set to what."""
    setup = each.setup
    name, setting = device_name(setup.heater.tool.device), setting_text(setup.heater.rungs[setup.rung])
    count = len(setup.paths)
    return Text(en=f"{count} x {name.en}, {setting.en}", fr=f"{count} x {name.fr}, {setting.fr}")


def _figures(each: "Tried") -> tuple[str, str]:
    seen = each.outlook
    lethal = 100 * seen.lethal_frac
    nerve = ("no nerve near", "pas de nerf proche") if seen.nerve_degC is None else (
        f"nerve at {seen.nerve_degC:.0f} °C", f"nerf à {seen.nerve_degC:.0f} °C")  # fmt: skip
    return f"{lethal:.0f} % coagulated, {nerve[0]}", f"{lethal:.0f} % coagulé, {nerve[1]}"
