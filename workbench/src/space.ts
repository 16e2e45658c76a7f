// The 3-D view: bone, lesion, ice, nerves, instruments, cement; turned with the pointer or the arrow keys.

import * as THREE from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { unpack, type PackedSurface, type Vec3 } from "./payload";
import { write } from "./marks";
import { fit, type Painter, type Stage } from "./stage";

const looks: Record<string, { color: number; opacity: number; order: number }> = {
  bone: { color: 0xe8dcc0, opacity: 0.42, order: 3 },
  lesion: { color: 0xd9482b, opacity: 0.75, order: 1 },
  nerve: { color: 0xffd21f, opacity: 1, order: 0 },
  vessel: { color: 0xc03a4a, opacity: 1, order: 0 },
  "ice 0": { color: 0xa8e6ff, opacity: 0.28, order: 4 },
  "ice -20": { color: 0x3aa8ff, opacity: 0.3, order: 3 },
  "ice -40": { color: 0x5a55ff, opacity: 0.4, order: 2 },
};
const rodColors: Record<string, number> = { screw: 0xb98cff, wire: 0xb98cff, probe: 0x59e07b, biopsy: 0x59e07b };

interface ShownSurface {
  packed: PackedSurface;
  mesh: THREE.Mesh;
}

export class SpacePane {
  private readonly scene = new THREE.Scene();
  private readonly camera = new THREE.PerspectiveCamera(30, 1, 5, 5000);
  private readonly controls: OrbitControls;
  private readonly surfaces: ShownSurface[] = [];
  private readonly tools = new THREE.Group();
  readonly hidden = new Set<string>();

  constructor(readonly canvas: HTMLCanvasElement, stage: Stage, redraw: () => void) {
    const focus = new THREE.Vector3(...stage.scene.focus_lps_mm);
    this.camera.up.set(0, 0, 1);
    this.camera.position.copy(focus).addScaledVector(new THREE.Vector3(...stage.scene.look_from), 340);
    const light = new THREE.DirectionalLight(0xffffff, 2.2);
    light.position.set(-0.5, 0.8, 1);
    this.camera.add(light);
    this.scene.add(this.camera, new THREE.AmbientLight(0xffffff, 0.7), this.tools);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.target.copy(focus);
    this.controls.update();
    this.controls.addEventListener("change", redraw);
    canvas.addEventListener("keydown", (event) => this.turn(event));
  }

  async load(surfaces: PackedSurface[]): Promise<void> {
    for (const packed of surfaces) {
      const geometry = await surfaceGeometry(packed);
      const look = looks[packed.kind === "ice" ? `ice ${packed.level_degC}` : packed.kind]!;
      const material = new THREE.MeshLambertMaterial({
        color: look.color,
        opacity: look.opacity,
        transparent: look.opacity < 1,
        depthWrite: look.opacity >= 1,
        side: THREE.DoubleSide,
      });
      const mesh = new THREE.Mesh(geometry, material);
      mesh.renderOrder = look.order;
      this.surfaces.push({ packed, mesh });
      this.scene.add(mesh);
    }
  }

  /** Shows what belongs to the stage's step. */
  show(stage: Stage): void {
    for (const { packed, mesh } of this.surfaces) {
      const ofStep = packed.kind !== "ice" || packed.temperature === stage.step.temperature;
      mesh.visible = ofStep && !this.hidden.has(packed.kind);
    }
    this.tools.clear();
    if (this.hidden.has("instrument")) return;
    for (const rod of stage.step.instruments) {
      this.tools.add(cylinder(rod.entry_lps_mm, rod.target_lps_mm, Math.max(rod.radius_mm, 1), rodColors[rod.role]));
    }
    for (const deposit of stage.step.deposits) this.tools.add(ball(deposit.center_lps_mm, deposit.radius_mm));
  }

  draw(painter: Painter): void {
    if (!fit(this.canvas)) return;
    this.camera.aspect = this.canvas.width / this.canvas.height;
    this.camera.updateProjectionMatrix();
    painter.paint(this.scene, this.camera, this.canvas, 0x1b2430);
    this.drawLetters();
  }

  /** Six letters around the center of rotation; those of the far side are fainter. */
  private drawLetters(): void {
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    const size = Math.min(this.canvas.width, this.canvas.height);
    pen.font = `600 ${Math.round(Math.max(14, size / 26))}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const towards = this.camera.position.clone().sub(this.controls.target).normalize();
    const inView = this.camera.quaternion.clone().invert();
    for (const [letter, direction] of bodyAxes) {
      const axis = new THREE.Vector3(...direction);
      const onScreen = axis.clone().applyQuaternion(inView);
      pen.fillStyle = axis.dot(towards) < -0.2 ? "rgba(255,255,255,0.55)" : "#fff";
      const column = this.canvas.width / 2 + onScreen.x * size * 0.44;
      write(pen, letter, column, this.canvas.height / 2 - onScreen.y * size * 0.44);
    }
  }

  private turn(event: KeyboardEvent): void {
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10],
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const offset = this.camera.position.clone().sub(this.controls.target);
    offset.applyAxisAngle(new THREE.Vector3(0, 0, 1), THREE.MathUtils.degToRad(step[0]));
    const tilt = new THREE.Vector3(0, 0, 1).cross(offset).normalize();
    const tilted = offset.clone().applyAxisAngle(tilt, THREE.MathUtils.degToRad(step[1]));
    if (Math.abs(tilted.clone().normalize().z) < 0.98) offset.copy(tilted);
    this.camera.position.copy(this.controls.target).add(offset);
    this.controls.update();
  }
}

const bodyAxes: [string, Vec3][] = [
  ["L", [1, 0, 0]], ["R", [-1, 0, 0]], ["P", [0, 1, 0]], ["A", [0, -1, 0]], ["H", [0, 0, 1]], ["F", [0, 0, -1]],
];

async function surfaceGeometry(packed: PackedSurface): Promise<THREE.BufferGeometry> {
  const stored = await unpack(packed.vertices);
  const positions = new Float32Array(stored.length);
  for (let n = 0; n < stored.length; n++) positions[n] = stored[n]! / 100 + packed.origin_lps_mm[n % 3]!;
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(positions, 3));
  geometry.setIndex(new THREE.BufferAttribute(await unpack(packed.faces), 1));
  geometry.computeVertexNormals();
  return geometry;
}

function cylinder(from: Vec3, to: Vec3, radius: number, color = 0x59e07b): THREE.Mesh {
  const [a, b] = [new THREE.Vector3(...from), new THREE.Vector3(...to)];
  const shape = new THREE.CylinderGeometry(radius, radius, Math.max(a.distanceTo(b), 0.1), 16);
  const mesh = new THREE.Mesh(shape, new THREE.MeshLambertMaterial({ color }));
  mesh.position.copy(a).add(b).multiplyScalar(0.5);
  mesh.quaternion.setFromUnitVectors(new THREE.Vector3(0, 1, 0), b.clone().sub(a).normalize());
  return mesh;
}

function ball(center: Vec3, radius: number): THREE.Mesh {
  const mesh = new THREE.Mesh(new THREE.SphereGeometry(radius, 24, 16), new THREE.MeshLambertMaterial({ color: 0xffffff }));
  mesh.position.set(...center);
  return mesh;
}
