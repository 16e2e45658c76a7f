"""The pelvis painted in order: skin and fat, muscles, organs, vessels, nerves, bones, joints."""

import numpy as np

from trocar.model.case import Role, Side, Structure
from trocar.model.space import Array, Grid
from trocar.phantoms import bones, muscles, nerves, spine, vessels, viscera
from trocar.phantoms.scanner import texture
from trocar.phantoms.scene import ORIGIN, Sample, Scene
from trocar.phantoms.shapes import Shape, carved

LOW_MM, HIGH_MM = (-186.0, -134.0, -70.0), (186.0, 134.0, 152.0)
SKIN_MM = 2.0
JOINT_GAP_MM = 3.2

FAT_HU, MUSCLE_HU, SKIN_HU, BLOOD_HU, WALL_HU, NERVE_HU = -102.0, 56.0, 20.0, 44.0, 40.0, 32.0
SEPTA_HU, STRIAE_HU = 26.0, -34.0
CORTEX_HU, CARTILAGE_HU, DISC_HU, GAS_HU, URINE_HU, CSF_HU = 1350.0, 85.0, 85.0, -950.0, 6.0, 18.0


def grid(spacing_mm: tuple[float, float, float]) -> Grid:
    """The pelvis's grid, symmetric about the midline."""
    spacing = np.asarray(spacing_mm, dtype=float)
    extent = np.subtract(HIGH_MM, LOW_MM)
    shape = np.maximum(np.round(extent / spacing).astype(int), 2)
    origin = (-(shape[0] - 1) / 2 * spacing[0], LOW_MM[1] + spacing[1] / 2, LOW_MM[2] + spacing[2] / 2)
    return Grid.aligned(
        origin_lps_mm=tuple(float(v) for v in origin),  # type: ignore[arg-type]
        spacing_mm=tuple(float(v) for v in spacing),  # type: ignore[arg-type]
        shape=tuple(int(n) for n in shape),  # type: ignore[arg-type]
    )


class Pelvis:
    """One pelvis being painted; `bone` keeps the samples that lesions need."""

    def __init__(self, on: Grid, rng: np.random.Generator) -> None:
        self.scene = Scene(on)
        self.fine = texture(on, rng, grain_mm=3.0)
        self.coarse = texture(on, rng, grain_mm=9.0)
        self.bone: dict[str, Sample] = {}
        self.extra: list[Structure] = []  # what may overlap organs: skin, body, nerves, joints

    def paint(self) -> None:
        self._body()
        self._muscles()
        self._viscera()
        self._vessels()
        self._spinal_contents()
        self._hips_and_femora()
        self._sacrum_and_lumbar()
        self._nerves()

    def structures(self) -> tuple[Structure, ...]:
        return (*self.scene.organs(), *self.extra)

    # --- soft tissue

    def _body(self) -> None:
        scene = self.scene
        trunk = scene.sampled(muscles.trunk(), every_mm=3.0)
        cleft = scene.distances(scene.sampled(muscles.cleft()))[trunk.window]
        skin = Sample(trunk.window, carved(trunk.distance, cleft, 16.0))
        fat = FAT_HU + 5.0 * self._mottle(skin, 0.3) + SEPTA_HU * self._membranes(skin)
        scene.paint(skin, SKIN_HU)
        scene.paint(skin, fat, inset_mm=SKIN_MM)
        shell = Sample(skin.window, np.maximum(skin.distance, -SKIN_MM - skin.distance))
        self.extra += [scene.region("body", Role.BODY, skin), scene.region("skin", Role.SKIN, shell)]
        begins, ends = muscles.WALL_MM
        cut = muscles.wall_cut().distance(*scene.axes(trunk.window))
        wall = np.maximum(np.maximum(trunk.distance + begins, -ends - trunk.distance), cut)
        left = Sample(trunk.window, wall)
        for sample in (left, left.mirrored(scene.grid.shape[0])):
            self._soft(sample, MUSCLE_HU - 4)

    def _muscles(self) -> None:
        for shape in (muscles.levator_ani(), muscles.hip_capsule()):
            for _, sample in self.scene.pair(shape):
                self._soft(sample, MUSCLE_HU - 8)
        for name, shape in muscles.muscles().items():
            for side, sample in self.scene.pair(shape, every_mm=1.8):
                striae = STRIAE_HU * self._membranes(sample)
                self._soft(sample, MUSCLE_HU + striae, inset_mm=0.5)
                self.scene.claim(f"{name}_{side}", Role.MUSCLE, sample, side=side)

    def _viscera(self) -> None:
        scene = self.scene
        scene.paint(scene.sampled(viscera.mesentery()), BLOOD_HU)
        for loop, gas in viscera.small_bowel_loops():
            self._hollow(loop, "small_bowel", 20.0, gas, wall_mm=2.0)
        self._hollow(viscera.colon(), "colon", 12.0, viscera.colon_gas(), wall_mm=2.2, stool_HU=70.0)
        self._hollow(viscera.rectum(), "rectum", 25.0, viscera.rectal_gas(), wall_mm=3.0, stool_HU=45.0)
        prostate = scene.sampled(viscera.prostate())
        self._soft(prostate, 44.0)
        scene.claim("prostate", Role.ORGAN, prostate, side=Side.MIDLINE)
        bladder = scene.sampled(viscera.bladder())
        scene.paint(bladder, WALL_HU)
        scene.paint(bladder, URINE_HU, inset_mm=3.0)
        scene.claim("urinary_bladder", Role.BLADDER, bladder, side=Side.MIDLINE)
        for side, ureter in scene.pair(viscera.ureter()):
            scene.paint(ureter, 20.0)
            scene.claim(f"ureter_{side}", Role.URETER, ureter, side=side)

    def _hollow(
        self, shape: Shape, name: str, content_HU: float, gas: Shape | None, *, wall_mm: float, stool_HU: float = 0.0
    ) -> None:
        scene = self.scene
        sample = scene.sampled(shape)
        scene.paint(sample, WALL_HU)
        mottled = content_HU + stool_HU * np.minimum(self.fine[sample.window] + 0.4, 0.6)
        scene.paint(sample, mottled, inset_mm=wall_mm)
        if gas is not None:
            scene.paint(scene.sampled(gas), GAS_HU)
        scene.claim(name, Role.BOWEL, sample)

    def _vessels(self) -> None:
        scene = self.scene
        for name, shape in (("aorta", vessels.aorta()), ("inferior_vena_cava", vessels.vena_cava())):
            self._blood(scene.sampled(shape), name, None)
        for side, common in zip((Side.LEFT, Side.RIGHT), vessels.common_iliac_veins(), strict=True):
            self._blood(scene.sampled(common), f"iliac_vena_{side}", side)
        for name, shape in (
            ("iliac_vena", vessels.iliac_vein()),
            ("superior_gluteal_artery", vessels.superior_gluteal_artery()),
            ("iliac_artery", vessels.iliac_artery()),
        ):
            for side, sample in scene.pair(shape):
                self._blood(sample, f"{name}_{side}", side)

    def _blood(self, sample: Sample, name: str, side: Side | None) -> None:
        self.scene.paint(sample, BLOOD_HU)
        self.scene.claim(name, Role.VESSEL, sample, side=side)

    def _nerves(self) -> None:
        for nerve in nerves.nerves():
            for side, sample in self.scene.pair(nerve.shape):
                self.scene.paint(sample, NERVE_HU)
                inside = np.zeros(self.scene.grid.shape, dtype=bool)
                inside[sample.window] = sample.inside
                course = nerve if side is Side.LEFT else nerve.mirrored()
                self.extra.append(
                    Structure(
                        name=f"{nerve.name}_{side}",
                        role=Role.NERVE,
                        inside=inside,
                        side=side,
                        centerline_lps_mm=tuple((float(x), float(y), float(z)) for x, y, z in course.centerline),
                        diameter_mm=nerve.diameter_mm,
                        origin=ORIGIN,
                    )
                )

    def _spinal_contents(self) -> None:
        sac = self.scene.sampled(nerves.thecal_sac())
        self.scene.paint(sac, CSF_HU)
        self.extra.append(self.scene.region("thecal_sac", Role.CORD, sac, side=Side.MIDLINE))

    # --- bone

    def _hips_and_femora(self) -> None:
        scene = self.scene
        scene.paint(scene.sampled(bones.symphysis()), CARTILAGE_HU)
        hips, femora = scene.pair(bones.hip()), scene.pair(bones.femur())
        for side, cartilage in scene.pair(bones.hip_cartilage()):
            scene.paint(cartilage, CARTILAGE_HU - 30)
            self._joint(f"hip_joint_{side}", cartilage, side, (hips, femora))
        for side, femur in femora:
            _, _, z = scene.axes(femur.window)
            shaft = np.clip((-34.0 - z) / 34.0, 0, 1)
            marrow = (260.0 - 300.0 * shaft) + (32.0 - 20.0 * shaft) * self.fine[femur.window]
            self._bone(f"femur_{side}", femur, side, marrow, cortex_mm=1.4 + 4.6 * shaft)
        for side, hip in hips:
            x, y, z = scene.axes(hip.window)
            lateral = bones.HIP_CENTER[0] * (1 if side is Side.LEFT else -1)
            roof = np.exp(-np.clip(np.sqrt((x - lateral) ** 2 + y**2 + z**2) - 29.0, 0, None) / 9.0)
            marrow = 165.0 + 170.0 * roof + 30.0 * self.fine[hip.window]
            self._bone(f"hip_{side}", hip, side, marrow, cortex_mm=1.7)

    def _joint(
        self,
        name: str,
        sample: Sample,
        side: Side,
        solids: tuple[tuple[tuple[Side, Sample], tuple[Side, Sample]], ...],
    ) -> None:
        distance = sample.distance.copy()
        for pair in solids:
            for part_side, part in pair:
                if part_side is side:
                    distance = np.maximum(distance, -self.scene.distances(part)[sample.window])
        self.extra.append(self.scene.region(name, Role.JOINT, Sample(sample.window, distance), side=side))

    def _sacrum_and_lumbar(self) -> None:
        scene = self.scene
        sacrum = scene.sampled(spine.sacrum())
        distance = sacrum.distance.copy()
        for side in (Side.LEFT, Side.RIGHT):
            hip = scene.distances(self.bone[f"hip_{side}"])[sacrum.window]
            joint = Sample(sacrum.window, np.maximum(np.maximum(sacrum.distance, hip - JOINT_GAP_MM), 0.01 - hip))
            scene.paint(joint, CARTILAGE_HU)
            self.extra.append(scene.region(f"sacroiliac_joint_{side}", Role.JOINT, joint, side=side))
            distance = np.maximum(distance, JOINT_GAP_MM - hip)
        sacrum = Sample(sacrum.window, distance)
        for name, disc in (("disc_l5_s1", spine.DISC_L5_S1), ("disc_l4_l5", spine.DISC_L4_L5)):
            sample = scene.sampled(disc)
            scene.paint(sample, DISC_HU)
            scene.claim(name, Role.ORGAN, sample)
        marrow = 140.0 + 26.0 * self.fine[sacrum.window] + 22.0 * self.coarse[sacrum.window]
        self._bone("sacrum", sacrum, None, marrow, cortex_mm=1.2)
        for name, of in (("vertebrae_L5", spine.L5), ("vertebrae_L4", spine.L4)):
            sample = scene.sampled(spine.vertebra(of))
            self._bone(name, sample, None, 170.0 + 28.0 * self.fine[sample.window], cortex_mm=1.1)

    def _bone(
        self, name: str, sample: Sample, side: Side | None, marrow_HU: Array, *, cortex_mm: float | Array
    ) -> None:
        self.bone[name] = sample
        self.scene.paint(sample, CORTEX_HU)
        self.scene.paint(sample, marrow_HU, inset_mm=cortex_mm)
        self.scene.claim(name, Role.BONE, sample, side=side)

    def _soft(self, sample: Sample, value_HU: float | Array, *, inset_mm: float = 0.0) -> None:
        self.scene.paint(sample, value_HU + 7.0 * self._mottle(sample, 0.5), inset_mm=inset_mm)

    def _membranes(self, sample: Sample) -> Array:
        """0..1: thin sheets, where a slow random field changes its sign; septa in fat, fatty striae in muscle."""
        sheets: Array = np.exp(-np.square(self.coarse[sample.window] / np.float32(0.09)))
        return sheets

    def _mottle(self, sample: Sample, fine: float) -> Array:
        mixed: Array = fine * self.fine[sample.window] + (1 - fine) * self.coarse[sample.window]
        return mixed
