"""What several sheets say of a case: its lesion, side, gates, tests and drugs; what nobody stated is `unknown`."""

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import trocar
from trocar import catalog
from trocar.catalog.ruleset import ruleset
from trocar.catalog.sheets import Part, SheetLine, sheet_lines
from trocar.model.case import Role
from trocar.model.finding import Verdict
from trocar.model.schedule import Schedule
from trocar.model.treatment import GateOutcome, Missing, Proposal, Step, Technique
from trocar.reporting import vocabulary
from trocar.reporting.documents import terms
from trocar.reporting.documents.sheet import Bullets, Field, Frame, Paragraph, Side
from trocar.reporting.gathered import Gathered
from trocar.reporting.language import Language
from trocar.reporting.words import check_name, device_name, structure_name, subject_name, word

UNSETTLED = ("stop", "missing", "refer", "require", "hold")
NERVES = (Role.NERVE, Role.CORD)
CONTACT_mm = 0.5  # rounds to no distance at all


@dataclass(frozen=True, slots=True)
class Facts:
    """The findings, and how they are said in one language. `made` is the date that is printed."""

    gathered: Gathered
    language: Language
    made: datetime.date

    # --- fields

    def known(self, label: str, value: str | None) -> Field:
        """A field whose value may be unknown."""
        return Field(label, value) if value else Field(label, self.language("unknown"), "unknown")

    def blank(self, *labels: str) -> tuple[Field, ...]:
        """Fields to write in."""
        return tuple(Field(label, "", "blank") for label in labels)

    def known_or_blank(self, label: str, value: str | None) -> Field:
        """A field with its value, or to write in where there is none."""
        return Field(label, value) if value else Field(label, "", "blank")

    def number(self, value: float | None, unit: str, *, digits: int | None = None) -> str | None:
        return None if value is None else self.language.number(value, unit, digits=digits)

    def entered(self, value: float | None, unit: str = "", *, least: int = 0) -> str | None:
        """A number as it was entered, with `least` decimals or more."""
        return None if value is None else self.language.entered(value, unit, least=least)

    def date(self, date: datetime.date | None) -> str | None:
        return None if date is None else self.language.date(date)

    def yes_no(self, value: bool | None) -> str | None:
        return None if value is None else self.language("yes") if value else self.language("no")

    def chosen(self, name: str, *values: str | None) -> str | None:
        """Values of a clinical input in words; `None` when one is unknown."""
        if not values or None in values:
            return None
        return ", ".join(terms.chosen(name, str(value), self.language) for value in values)

    def several(self, name: str, values: Iterable[str] | None) -> str | None:
        """Several values of a clinical input; `none` for a known absence, `None` for an unknown."""
        if values is None:
            return None
        return self.chosen(name, *values) or self.language("none")

    def allergies(self) -> str | None:
        """The allergies; `none known` for a known absence."""
        known = self.gathered.case.clinical.patient.allergies
        return self.language("none known") if known == () else self.several("allergies", known)

    def implants(self) -> str | None:
        """The implanted devices."""
        return self.several("implants", self.gathered.case.clinical.patient.implants)

    def morphine(self) -> str | None:
        """The morphine equivalent per day."""
        return self.entered(self.gathered.case.clinical.pain.morphine_mg_per_d, "mg")

    def systemic_treatments(self) -> str | None:
        """The systemic treatments with the days of the last and the next."""
        cancer = self.gathered.case.clinical.oncology
        given = self.several("systemic_therapies", cancer.systemic_therapies)
        last, following = self.date(cancer.systemic_last_date), self.date(cancer.systemic_next_date)
        parts = [
            given,
            last and self.language("last on {date}", date=last),
            following and self.language("next on {date}", date=following),
        ]
        return self.language.listed(part for part in parts if part) or None

    def radiotherapy(self) -> str | None:
        """Whether the site was irradiated, with what dose and when: `yes, 30 Gy, 10 fractions, March 3, 2026`."""
        cancer = self.gathered.case.clinical.oncology
        fractions = cancer.radiotherapy_fractions
        parts = [
            self.yes_no(cancer.prior_radiotherapy_at_site),
            self.entered(cancer.radiotherapy_dose_Gy, "Gy"),
            self.language("1 fraction") if fractions == 1 else None,
            self.language("{count} fractions", count=fractions) if fractions and fractions > 1 else None,
            self.date(cancer.radiotherapy_date),
        ]
        return ", ".join(part for part in parts if part) or None

    # --- the lesion and its side

    @property
    def side(self) -> Side:
        """The side that was measured, shouted when it is unknown or when anything contradicts it."""
        found = self.gathered.side
        if found is None:
            return Side(
                self.language("SIDE UNKNOWN"), doubtful=True, note=self.language("No procedure without a side.")
            )
        said = self.language(vocabulary.SIDES[found.value]).upper()
        stated = {self.gathered.case.clinical.decision.side, self.gathered.case.context(self.lesion).side} - {None}
        if any(other is not found for other in stated) or self._side_check_failed():
            others = ", ".join(sorted(self.language(vocabulary.SIDES[str(side)]) for side in stated))
            note = self.language(
                "SIDES DIFFER: image {image}, stated {stated}. Stop.", image=said, stated=others.upper()
            )
            return Side(said + " ?", doubtful=True, note=note)
        return Side(said, doubtful=False)

    def _side_check_failed(self) -> bool:
        assessed = self.gathered.assessment
        checks = assessed.checks if assessed else ()
        return any(check.name == "lesion_side" and check.verdict is Verdict.FAIL for check in checks)

    @property
    def lesion(self) -> str:
        return self.gathered.lesion.name

    def target(self) -> str:
        """`lesion 1, iliac wing, LEFT`."""
        context = self.gathered.case.context(self.lesion)
        parts = [structure_name(self.lesion, self.language)]
        parts += [word(vocabulary.SITES, context.site, self.language)] if context.site else []
        parts += [context.level] if context.level else []
        return ", ".join([*parts, self.side.text])

    def size(self) -> str | None:
        """The three diameters and the volume."""
        measured = self.gathered.assessment
        if measured is None:
            return None
        lesion = measured.lesion(self.lesion)
        diameters = " × ".join(self.language.number(mm, "", digits=0) for mm in lesion.diameters_mm)
        return f"{diameters}\u00a0mm, {self.language.number(lesion.volume_ml, 'ml', digits=0)}"

    def near_nerves(self, count: int) -> tuple[tuple[str, float], ...]:
        """The nearest nerves or cord with their distance from the lesion in mm."""
        return self.near(NERVES)[:count]

    def near(self, roles: tuple[Role, ...]) -> tuple[tuple[str, float], ...]:
        """Structures of these roles with their distance from the lesion in mm, the nearest first."""
        measured = self.gathered.assessment
        neighbors = measured.lesion(self.lesion).neighbors if measured else ()
        found = [(item.name, item.distance_mm) for item in neighbors if item.role in roles]
        return tuple(sorted(found, key=lambda item: item[1]))

    def distance(self, mm: float) -> str:
        """A distance from the lesion in whole millimeters; contact is called contact."""
        return self.language("touches it") if mm < CONTACT_mm else self.language.number(mm, "mm", digits=0)

    # --- gates

    def options(self) -> tuple[Proposal, ...]:
        """The options for this lesion, in their order."""
        return tuple(option for option in self.gathered.proposals if option.lesion == self.lesion)

    def unsettled(self) -> tuple[GateOutcome, ...]:
        """The gates that stop, miss an input, refer or require, each once, stops first."""
        found = {(gate.rule, gate.message.en): gate for option in self.options() for gate in option.gates}
        wanted = [gate for gate in found.values() if gate.outcome in UNSETTLED]
        return tuple(sorted(wanted, key=lambda gate: UNSETTLED.index(gate.outcome)))

    def missing(self) -> tuple[Missing, ...]:
        """The inputs that rules ask for and nobody gave, each once."""
        return tuple({item.field: item for option in self.options() for item in option.missing}.values())

    def field_name(self, field: str) -> str:
        """An input as a reader knows it."""
        label = next((known.label for known in ruleset().inputs.values() if known.field == field), None)
        return getattr(label, self.language.code) if label else field

    def alarms(self) -> tuple[str, ...]:
        """What stops, what is missing, and that a blocked plan is a draft."""
        said = [
            f"{self.outcome(gate)} {gate.rule}{self.language.colon} {self.text(gate)}"
            for gate in self.unsettled()
            if gate.outcome != "missing"
        ]
        if missing := self.missing():
            names = self.language.listed(f"{self.field_name(item.field)} ({', '.join(item.rules)})" for item in missing)
            lacking = self.language("MISSING")
            said.append(f"{lacking}{self.language.colon} {names}.")
        plan = self.gathered.plan
        if plan and not plan.approvable:
            why = ", ".join(
                dict.fromkeys((*plan.blocked_by, *(self.check_said(c.name, c.subject) for c in plan.failed)))
            )
            said.append(self.language("DRAFT, the plan cannot be approved: {why}.", why=why))
        return tuple(said)

    def outcome(self, gate: GateOutcome) -> str:
        """`STOP`, `REFER` ..."""
        return word(vocabulary.OUTCOMES, gate.outcome, self.language).upper()

    def text(self, gate: GateOutcome) -> str:
        """What a gate says."""
        said: str = getattr(gate.message, self.language.code)
        return said

    def check_said(self, name: str, subject: str) -> str:
        """A check's name with its subject."""
        about = f" ({subject_name(subject, self.language)})" if subject else ""
        return check_name(name, self.language) + about

    # --- treatment

    @property
    def schedule(self) -> Schedule | None:
        """The session on the clock; None without one, and where nothing is to be done."""
        timed = self.gathered.schedule
        return timed if timed and timed.steps else None

    def no_schedule(self) -> str:
        """Why there is no schedule: nobody made one, or the option holds no step."""
        if self.gathered.schedule is None:
            return self.language("There is no schedule yet.")
        return self.language("There is no schedule: the option holds no step.")

    def technique(self, technique: Technique) -> str:
        return word(vocabulary.TECHNIQUES, technique.value, self.language)

    def step_names(self) -> dict[str, str]:
        """Id of each step on the clock -> its name, numbered where there are several of its kind."""
        steps = self.schedule.steps if self.schedule else ()
        several = {kind for kind, count in Counter(step.step for step in steps).items() if count > 1}
        counted, names = Counter[str](), {}
        for step in steps:
            counted[step.step] += 1
            number = f" {counted[step.step]}" if step.step in several else ""
            names[step.id] = word(vocabulary.STEPS, step.step, self.language) + number
        return names

    def device(self, device_id: str) -> str:
        """The name of a device."""
        return device_name(device_id, self.language)

    def steps(self, *techniques: Technique) -> tuple[Step, ...]:
        """The plan's steps of these techniques; all of them when none is named."""
        steps = self.gathered.plan.steps if self.gathered.plan else ()
        return tuple(step for step in steps if not techniques or step.technique in techniques)

    def punctures(self) -> str | None:
        """How many places of the skin the plan punctures, and the widest instrument through one: `6, up to 7.3 mm`."""
        placements = [placement for step in self.steps() for placement in step.placements]
        if not placements:
            return None
        places = {tuple(round(mm) for mm in placement.skin_lps_mm) for placement in placements}
        widest = self.language.number(max(placement.diameter_mm for placement in placements), "mm")
        return self.language("{count}, up to {widest}", count=len(places), widest=widest)

    def techniques(self) -> tuple[Technique, ...]:
        """The techniques of the session: the plan's, else those that the first option indicates."""
        if steps := self.steps():
            return tuple(dict.fromkeys(step.technique for step in steps))
        first = self.options()[:1]
        return tuple(item for option in first for item in Technique if option.indicates(item))

    def _lines(self, part: Part) -> tuple[SheetLine, ...]:
        used = self.techniques()
        return tuple(line for line in sheet_lines() if line.part == part and line.technique in (None, *used))

    def lines(self, part: Part) -> tuple[str, ...]:
        """The catalog's lines of one part that concern the session."""
        return tuple(getattr(line.text, self.language.code) for line in self._lines(part))

    def cited(self, part: Part, *, columns: int = 1) -> Bullets:
        """The catalog's lines of one part that concern the session, each with the keys of its sources."""
        lines = self._lines(part)
        said = tuple(f"{getattr(line.text, self.language.code)} [{terms.keys(line.source)}]" for line in lines)
        return Bullets(said, columns, tuple(line.source for line in lines))

    def sentences(self, part: Part) -> tuple[Paragraph, ...]:
        """As `cited`, as paragraphs."""
        found = self.cited(part)
        return tuple(Paragraph(text, source) for text, source in zip(found.items, found.sources, strict=True))

    def limit(self, key: str) -> str:
        """A limit of the catalog with its unit and the key of its source."""
        known = catalog.limit(key)
        return self.language.number(known.value, known.unit, digits=0)

    # --- frame

    def frame(self) -> Frame:
        """Banner and foot of every page."""
        language = self.language
        rules = next((option.ruleset for option in self.options() if option.ruleset), "")
        rules = rules or (self.gathered.plan.ruleset if self.gathered.plan else "") or ruleset().version
        name, ruled = language("Pseudonym"), language("rules")
        return Frame(
            banner=f"{language('Research and education software, not a medical device.')} "
            f"{language('Not for use in the care of a patient.')}",
            pseudonym=f"{name}{self.language.colon} {self.gathered.case.case_id}",
            label_sticker=language("Patient label"),
            page=language("page {page} of {pages}"),
            footer=(
                f"trocar {trocar.__version__}",
                f"{ruled} {rules}",
                language.date(self.made),
                language("synthetic phantom") if self.gathered.case.synthetic else language("dates are shifted"),
            ),
        )
