// A slice through the volumes, drawn in world millimeters.

import * as THREE from "three";
import { drawCross, drawIsothermLabels, drawLetters, drawScaleBar, toLps, toPixel, type View } from "./marks";
import { normal, type Plane } from "./plane";
import { fragmentShader, MAX_RODS, vertexShader } from "./shader";
import { fit, nothingCold, nothingNear, temperatureOf, type Painter, type Stage } from "./stage";

export class SlicePane {
  private readonly camera = new THREE.OrthographicCamera(-1, 1, 1, -1, 1, 2000);
  private readonly scene = new THREE.Scene();
  private readonly material: THREE.ShaderMaterial;
  private readonly quad: THREE.Mesh;
  private view: View | null = null;
  zoom = 1;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly planeAt: (stage: Stage) => Plane,
    private readonly halfHeightMm: number,
  ) {
    this.material = new THREE.ShaderMaterial({
      glslVersion: THREE.GLSL3,
      side: THREE.DoubleSide,
      vertexShader,
      fragmentShader,
      uniforms: emptyUniforms(),
    });
    this.quad = new THREE.Mesh(new THREE.PlaneGeometry(4000, 4000), this.material);
    this.quad.matrixAutoUpdate = false;
    this.quad.frustumCulled = false;
    this.scene.add(this.quad);
  }

  draw(painter: Painter, stage: Stage): void {
    if (!fit(this.canvas)) return;
    const plane = this.planeAt(stage);
    const { width, height } = this.canvas;
    const mmPerPixel = (2 * this.halfHeightMm) / this.zoom / Math.min(width, height);
    this.view = { plane, mmPerPixel, width, height };
    this.aim(plane, mmPerPixel);
    this.setUniforms(stage, plane, mmPerPixel);
    painter.paint(this.scene, this.camera, this.canvas, 0);
    if (stage.overlays) this.annotate(stage);
  }

  /** The point of patient space under a pixel of the canvas, or `null` before the first drawing. */
  pointAt(column: number, row: number): THREE.Vector3 | null {
    return this.view && toLps(this.view, column, row);
  }

  pixelOf(point: THREE.Vector3): [number, number] | null {
    return this.view && toPixel(this.view, point);
  }

  private aim(plane: Plane, mmPerPixel: number): void {
    const out = normal(plane);
    this.quad.matrix.makeBasis(plane.right, plane.up, out).setPosition(plane.center);
    this.quad.matrixWorldNeedsUpdate = true;
    const { width, height } = this.canvas;
    this.camera.right = (width / 2) * mmPerPixel;
    this.camera.left = -this.camera.right;
    this.camera.top = (height / 2) * mmPerPixel;
    this.camera.bottom = -this.camera.top;
    this.camera.position.copy(plane.center).addScaledVector(out, 1000);
    this.camera.up.copy(plane.up);
    this.camera.lookAt(plane.center);
    this.camera.updateProjectionMatrix();
  }

  private setUniforms(stage: Stage, plane: Plane, mmPerPixel: number): void {
    const u = this.material.uniforms;
    const fields = {
      ct: stage.ct,
      temperature: temperatureOf(stage) ?? nothingCold,
      lesion: stage.lesion ?? nothingNear,
      nerves: stage.nerves ?? nothingNear,
    };
    for (const [name, volume] of Object.entries(fields)) {
      u[name]!.value = volume.texture;
      u[`${name}FromLps`]!.value = volume.textureFromLps;
    }
    u["window"]!.value.set(stage.window.center, stage.window.width);
    u["right"]!.value.copy(plane.right);
    u["up"]!.value.copy(plane.up);
    u["dashCenter"]!.value.set(...stage.scene.focus_lps_mm);
    u["overlays"]!.value = stage.overlays;
    u["pixelMm"]!.value = mmPerPixel;
    this.setRods(stage);
  }

  private setRods(stage: Stage): void {
    const u = this.material.uniforms;
    const rods = [
      ...stage.step.instruments.map((i) => ({
        from: i.entry_lps_mm, to: i.target_lps_mm, radius: i.radius_mm, kind: i.role === "screw" ? 1 : 0,
      })),
      ...stage.step.deposits.map((d) => ({ from: d.center_lps_mm, to: d.center_lps_mm, radius: d.radius_mm, kind: 2 })),
    ].slice(0, MAX_RODS);
    u["rods"]!.value = rods.length;
    rods.forEach((rod, n) => {
      u["rodStart"]!.value[n].set(...rod.from, rod.radius);
      u["rodEnd"]!.value[n].set(...rod.to, rod.kind);
    });
  }

  private annotate(stage: Stage): void {
    const pen = this.canvas.getContext("2d");
    if (!pen || !this.view) return;
    const temperature = temperatureOf(stage);
    if (temperature) drawIsothermLabels(pen, this.view, temperature);
    drawCross(pen, this.view, stage.focus);
    drawLetters(pen, this.view);
    drawScaleBar(pen, this.view);
  }
}

function emptyUniforms(): Record<string, THREE.IUniform> {
  const names = ["ct", "temperature", "lesion", "nerves"];
  const vectors = () => Array.from({ length: MAX_RODS }, () => new THREE.Vector4());
  return {
    ...Object.fromEntries(names.map((name) => [name, { value: null }])),
    ...Object.fromEntries(names.map((name) => [`${name}FromLps`, { value: new THREE.Matrix4() }])),
    window: { value: new THREE.Vector2() },
    right: { value: new THREE.Vector3() },
    up: { value: new THREE.Vector3() },
    dashCenter: { value: new THREE.Vector3() },
    overlays: { value: true },
    pixelMm: { value: 1 },
    rods: { value: 0 },
    rodStart: { value: vectors() },
    rodEnd: { value: vectors() },
  };
}
