"""A heating step as data: its applicators, what the console is set to, and the wait while tissue goes on dying."""

from collections.abc import Sequence

from trocar.catalog import device
from trocar.catalog.ladders import Rung
from trocar.model.device import RfGenerator
from trocar.model.space import Segment
from trocar.model.treatment import ProtocolPhase, Step, Technique, Text
from trocar.planning import durations
from trocar.planning.access import Instrument, needle

STEP_ID = "heating-1"
WAIT_S = 120.0  # heated tissue is still hot and dying when the power stops; design


def heating_step(lesion: str, technique: Technique, tool: Instrument, paths: Sequence[Segment], rung: Rung) -> Step:
    """The ablation step of these applicators at one setting, without its checks."""
    placements = tuple(needle(tool, path, f"applicator-{n}") for n, path in enumerate(paths, start=1))
    phases = (
        ProtocolPhase(phase="heat", duration_s=rung.duration_s, setting=rung.setting, unit=rung.unit),
        ProtocolPhase(phase="wait", duration_s=WAIT_S),
    )
    return Step(
        id=STEP_ID,
        technique=technique,
        action="ABLATE",
        lesion=lesion,
        duration_min=durations.heating(len(placements), sum(phase.duration_s for phase in phases)),
        placements=placements,
        protocol=phases,
        program=rung.program,
    )


def setting_text(rung: Rung) -> Text:
    """What the console is set to, in words."""
    minutes = f"{rung.duration_s / 60:.1f}"
    minutes_fr = minutes.replace(".", ",")
    if rung.unit == "W":
        return Text(en=f"{rung.setting:.0f} W for {minutes} min", fr=f"{rung.setting:.0f} W pendant {minutes_fr} min")
    if rung.unit == "degC":
        return Text(
            en=f"kept at {rung.setting:.0f} °C for {minutes} min",
            fr=f"maintien à {rung.setting:.0f} °C pendant {minutes_fr} min",
        )
    return _program_text(rung)


def _program_text(rung: Rung) -> Text:
    program = rung.program
    assert program is not None
    console = device(program.generator)
    assert isinstance(console, RfGenerator)
    factor = f"{program.rise_factor:g}"
    share, pause = 100 * (console.second_frac or 0.0), console.pause_s or 0.0
    return Text(
        en=f"{program.start_W:.0f} W, {program.step_W:.0f} W more every {program.step_every_s:.0f} s up to "
        f"{program.ceiling_W:.0f} W, until the resistance is {factor} times its lowest; after "
        f"{pause:.0f} s once more at {share:.0f} %; {rung.duration_s / 60:.0f} min at most",
        fr=f"{program.start_W:.0f} W, puis {program.step_W:.0f} W de plus toutes les {program.step_every_s:.0f} s "
        f"jusqu'à {program.ceiling_W:.0f} W, jusqu'à une résistance de {factor.replace('.', ',')} fois son minimum ; "
        f"après {pause:.0f} s, reprise à {share:.0f} % ; {rung.duration_s / 60:.0f} min au plus",
    )
