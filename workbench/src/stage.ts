// What both kinds of pane share: one WebGL renderer, and the state that the controls change.

import * as THREE from "three";
import type { Scene, SceneStep, Language } from "./payload";
import { uniform, type Volume } from "./volume";

export interface Window {
  center: number;
  width: number;
}

export interface Stage {
  scene: Scene;
  language: Language;
  ct: Volume;
  lesion: Volume | null;
  nerves: Volume | null;
  temperatures: Record<string, Volume>;
  step: SceneStep;
  focus: THREE.Vector3;
  window: Window;
  overlays: boolean;
}

// Colors are written as they are seen: gray levels of a slice must not be changed by color management.
THREE.ColorManagement.enabled = false;

export const nothingCold = uniform(37);
export const nothingNear = uniform(1000);

export function temperatureOf(stage: Stage): Volume | null {
  return stage.step.temperature === null ? null : (stage.temperatures[stage.step.temperature] ?? null);
}

/** Draws off screen; each pane copies the picture to its own canvas. Throws where WebGL 2 is missing. */
export class Painter {
  private readonly renderer: THREE.WebGLRenderer;

  constructor() {
    const canvas = document.createElement("canvas");
    if (!canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true })) throw new Error("WebGL 2");
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
    this.renderer.outputColorSpace = THREE.LinearSRGBColorSpace;
    this.renderer.setPixelRatio(1);
  }

  paint(scene: THREE.Scene, camera: THREE.Camera, onto: HTMLCanvasElement, background: number): void {
    const { width, height } = onto;
    const size = this.renderer.getSize(new THREE.Vector2());
    if (size.x !== width || size.y !== height) this.renderer.setSize(width, height, false);
    this.renderer.setClearColor(background, 1);
    this.renderer.render(scene, camera);
    onto.getContext("2d")?.drawImage(this.renderer.domElement, 0, 0);
  }
}

/** Fits a canvas to its box on the page; false while it has none (hidden, or not laid out). */
export function fit(canvas: HTMLCanvasElement): boolean {
  const scale = Math.min(window.devicePixelRatio || 1, 2);
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (width < 8 || height < 8) return false;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return true;
}
