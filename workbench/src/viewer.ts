// The panes and their controls, built into the report's empty <div id="viewer">.

import * as THREE from "three";
import { button, canvasPane, checkbox, select, slider } from "./controls";
import { along, axial, coronal, sagittal, type Plane } from "./plane";
import { readScene, type Language, type Words } from "./payload";
import { SlicePane } from "./slice";
import { SpacePane } from "./space";
import { Painter, temperatureOf, type Stage } from "./stage";
import { loadVolume, type Volume } from "./volume";

const windows = { bone: { center: 400, width: 1800 }, soft: { center: 40, width: 400 } };
const axes = { axial: "z", coronal: "y", sagittal: "x" } as const;
type Orthogonal = keyof typeof axes;

export class Viewer {
  private readonly painter = new Painter();
  private readonly slices: Record<string, SlicePane> = {};
  private readonly sliders: Partial<Record<Orthogonal, HTMLInputElement>> = {};
  private readonly readout = document.createElement("p");
  private readonly relabel: (() => void)[] = [];
  private space: SpacePane | null = null;
  private obliqueInstrument = 0;
  private pending = false;

  private constructor(private readonly root: HTMLElement, readonly stage: Stage) {}

  static async open(root: HTMLElement): Promise<Viewer> {
    const scene = readScene();
    const temperatures: Record<string, Volume> = {};
    for (const [key, packed] of Object.entries(scene.temperatures)) temperatures[key] = await loadVolume(packed);
    const viewer = new Viewer(root, {
      scene,
      language: pageLanguage(),
      ct: await loadVolume(scene.ct),
      lesion: scene.lesion && (await loadVolume(scene.lesion)),
      nerves: scene.nerves && (await loadVolume(scene.nerves)),
      temperatures,
      step: scene.steps.find((step) => step.id === scene.first_step) ?? scene.steps[0]!,
      focus: new THREE.Vector3(...scene.focus_lps_mm),
      window: windows.soft,
      overlays: true,
    });
    await viewer.build();
    return viewer;
  }

  /** Draws everything now. */
  draw(): void {
    for (const pane of Object.values(this.slices)) pane.draw(this.painter, this.stage);
    this.space?.draw(this.painter);
    this.readout.textContent = this.describeFocus();
  }

  /** Draws once before the next frame, however often it is asked. */
  readonly redraw = (): void => {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  };

  setLanguage(language: Language): void {
    this.stage.language = language;
    for (const relabel of this.relabel) relabel();
    this.redraw();
  }

  setFocus(point: THREE.Vector3): void {
    this.stage.focus.copy(point);
    for (const [name, input] of Object.entries(this.sliders)) {
      input.value = String(this.stage.focus[axes[name as Orthogonal]]);
    }
    this.redraw();
  }

  setStep(id: string): void {
    const step = this.stage.scene.steps.find((known) => known.id === id);
    if (!step) return;
    this.stage.step = step;
    this.obliqueInstrument = 0;
    this.space?.show(this.stage);
    this.setFocus(new THREE.Vector3(...step.focus_lps_mm));
  }

  slice(name: string): SlicePane {
    return this.slices[name]!;
  }

  private async build(): Promise<void> {
    this.root.replaceChildren();
    const bar = document.createElement("div");
    bar.className = "viewer-bar";
    const grid = document.createElement("div");
    grid.className = "viewer-grid";
    this.readout.className = "viewer-readout";
    this.readout.setAttribute("aria-live", "polite");
    this.root.append(bar, grid, this.readout);
    this.addControls(bar);
    this.addSlices(grid);
    const canvas = canvasPane(grid, this.worded("three_d"), this.relabel).canvas;
    this.space = new SpacePane(canvas, this.stage, this.redraw);
    await this.space.load(this.stage.scene.surfaces);
    this.space.show(this.stage);
    new ResizeObserver(this.redraw).observe(grid);
    this.draw();
  }

  private addControls(bar: HTMLElement): void {
    const steps = this.stage.scene.steps.map((step) => ({ value: step.id, label: () => this.say(step.label) }));
    const chooser = select(bar, this.worded("step"), steps, this.relabel, (id) => this.setStep(id));
    chooser.value = this.stage.step.id;
    const presets = Object.keys(windows).map((key) => ({ value: key, label: this.worded(`window_${key}`) }));
    const preset = select(bar, this.worded("window"), presets, this.relabel, (key) => {
      this.stage.window = windows[key as keyof typeof windows];
      this.redraw();
    });
    preset.value = "soft";
    checkbox(bar, this.worded("overlays"), this.relabel, (shown) => {
      this.stage.overlays = shown;
      this.redraw();
    });
    for (const kind of ["bone", "lesion", "ice", "nerve", "instrument"]) {
      checkbox(bar, this.worded(`show_${kind}`), this.relabel, (shown) => {
        if (shown) this.space?.hidden.delete(kind);
        else this.space?.hidden.add(kind);
        this.space?.show(this.stage);
        this.redraw();
      });
    }
    button(bar, this.worded("next_instrument"), this.relabel, () => {
      this.obliqueInstrument++;
      this.redraw();
    });
  }

  private addSlices(grid: HTMLElement): void {
    const makers = { axial, coronal, sagittal };
    const corners = this.stage.ct.corners();
    for (const name of Object.keys(makers) as Orthogonal[]) {
      const pane = canvasPane(grid, this.worded(name), this.relabel);
      const at = corners.map((corner) => corner[axes[name]]);
      this.sliders[name] = slider(pane.frame, this.worded(`slider_${name}`), this.relabel, {
        low: Math.ceil(Math.min(...at)),
        high: Math.floor(Math.max(...at)),
        value: this.stage.focus[axes[name]],
        onInput: (mm) => {
          this.stage.focus[axes[name]] = mm;
          this.redraw();
        },
      });
      this.addSlice(name, pane.canvas, (stage) => makers[name](stage.focus));
    }
    const oblique = canvasPane(grid, () => this.obliqueLabel(), this.relabel);
    this.addSlice("oblique", oblique.canvas, (stage) => this.obliquePlane(stage));
  }

  private addSlice(name: string, canvas: HTMLCanvasElement, planeAt: (stage: Stage) => Plane): void {
    const pane = new SlicePane(canvas, planeAt, 70);
    this.slices[name] = pane;
    canvas.addEventListener("pointerdown", (event) => {
      const scale = canvas.width / canvas.clientWidth;
      const point = pane.pointAt(event.offsetX * scale, event.offsetY * scale);
      if (point) this.setFocus(point);
    });
    const zoom = (factor: number): void => {
      pane.zoom = Math.min(Math.max(pane.zoom * factor, 0.3), 6);
      this.redraw();
    };
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "+") zoom(1.15);
      if (event.key === "-") zoom(1 / 1.15);
    });
  }

  private obliquePlane(stage: Stage): Plane {
    const tools = stage.step.instruments;
    const tool = tools[this.obliqueInstrument % Math.max(tools.length, 1)];
    if (!tool) return sagittal(stage.focus);
    const [entry, target] = [new THREE.Vector3(...tool.entry_lps_mm), new THREE.Vector3(...tool.target_lps_mm)];
    return along(entry, target, entry.clone().lerp(target, 0.6));
  }

  private obliqueLabel(): string {
    const tools = this.stage.step.instruments;
    const tool = tools[this.obliqueInstrument % Math.max(tools.length, 1)];
    return tool ? `${this.text("oblique")}: ${tool.name}` : this.text("oblique_none");
  }

  private describeFocus(): string {
    for (const relabel of this.relabel) relabel();
    const { focus, ct } = this.stage;
    const place = `${towards(focus.x, "LR")} ${towards(focus.y, "PA")} ${towards(focus.z, "HF")} mm`;
    const hu = ct.at(focus);
    const degC = temperatureOf(this.stage)?.at(focus) ?? null;
    const parts = [place, hu === null ? "" : `${hu.toFixed(0)} HU`];
    if (degC !== null) parts.push(`${this.text("coldest")} ${degC.toFixed(0).replace("-", "\u2212")} \u00b0C`);
    return parts.filter(Boolean).join(" · ");
  }

  private text(key: string): string {
    const words = this.stage.scene.text[key];
    if (!words) throw new Error(`the report gives no text for ${key}`);
    return words[this.stage.language];
  }

  private worded(key: string): () => string {
    return () => this.text(key);
  }

  private say(words: Words): string {
    return words[this.stage.language];
  }
}

/** A coordinate by its direction: `R 12` for -12 along L. */
function towards(mm: number, names: string): string {
  return `${names[mm < 0 ? 1 : 0]} ${Math.abs(mm).toFixed(0)}`;
}

export function pageLanguage(): Language {
  return document.documentElement.lang === "fr" ? "fr" : "en";
}

