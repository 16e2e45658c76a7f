"""A freezing step as data: its probes, their duties, its protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trocar.catalog import limit
from trocar.model.space import Segment
from trocar.model.treatment import Placement, ProtocolPhase, Step, Technique
from trocar.planning import durations
from trocar.planning.access import Instrument, needle

STEP_ID = "cryoablation-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Two freezes around a passive thaw, then an active one (V35, V43); `setting` is the gas flow's duty."""

    freeze_s: float = 600.0
    thaw_s: float = 480.0
    setting: float = 1.0

    @property
    def phases(self) -> tuple[ProtocolPhase, ...]:
        """The phases in order."""
        return self.phases_of({})

    def phases_of(self, settings: dict[str, float]) -> tuple[ProtocolPhase, ...]:
        """The phases in order, some probes with a duty of their own."""
        freeze = ProtocolPhase(phase="freeze", duration_s=self.freeze_s, setting=self.setting, settings=settings)
        return (
            freeze,
            ProtocolPhase(phase="thaw_passive", duration_s=self.thaw_s),
            freeze,
            ProtocolPhase(phase="thaw_active", duration_s=300.0),
        )


def freezing_step(
    lesion: str, tool: Instrument, paths: Sequence[Segment], protocol: Protocol, duties: Sequence[float] = ()
) -> Step:
    """The ablation step of these probes, without its checks; `duties` are shares of the protocol's setting."""
    probes = probe_placements(tool, paths)
    settings = {
        probe.name: round(protocol.setting * duty, 4)
        for probe, duty in zip(probes, duties or (1.0,) * len(probes), strict=True)
        if duty != 1.0
    }
    phases = protocol.phases_of(settings)
    return Step(
        id=STEP_ID,
        technique=Technique.CRYOABLATION,
        action="ABLATE",
        lesion=lesion,
        duration_min=durations.freezing(len(probes), sum(phase.duration_s for phase in phases)),
        placements=probes,
        protocol=phases,
    )


def probe_placements(tool: Instrument, paths: Sequence[Segment]) -> tuple[Placement, ...]:
    """The probes, numbered."""
    return tuple(needle(tool, path, f"probe-{number}") for number, path in enumerate(paths, start=1))


def renamed(step: Step, names: Sequence[str]) -> Step:
    """The step with other names for its probes, in their placements and their duties."""
    known = dict(zip((item.name for item in step.placements), names, strict=True))
    phases = tuple(
        replace(phase, settings={known[name]: value for name, value in phase.settings.items()})
        for phase in step.protocol
    )
    placements = tuple(replace(item, name=known[item.name]) for item in step.placements)
    return replace(step, placements=placements, protocol=phases)


def lethal_degC(intent: str) -> float:
    """The temperature counted as lethal for an intent."""
    return limit("lethal_curative_degC" if intent == "curative" else "lethal_palliative_degC").value


def lethal_share_key(intent: str) -> str:
    """The limit for the share of the lesion in the lethal zone: all of it in a curative intent."""
    return "coverage_curative_frac" if intent == "curative" else "coverage_lethal_palliative_frac"
