// What the report embeds for the viewer, and how it is unpacked. Mirrors trocar/reporting/scene.py.

export type Vec3 = [number, number, number];
export type Language = "en" | "fr";
export type Words = Record<Language, string>;

export interface PackedArray {
  element: string; // id of the <script> that holds gzip + base64
  type: "int8" | "int16" | "uint32";
}

/** Values are `stored * scale`, first index fastest; `lps_from_ijk` is row-major 4 x 4. */
export interface PackedVolume extends PackedArray {
  dims: Vec3;
  lps_from_ijk: number[];
  scale: number;
}

export interface PackedSurface {
  kind: SurfaceKind;
  temperature: string | null; // for ice: the volume that it belongs to
  level_degC: number | null;
  vertices: PackedArray; // hundredths of a millimeter from `origin_lps_mm`
  origin_lps_mm: Vec3;
  faces: PackedArray;
}

export type SurfaceKind = "bone" | "lesion" | "nerve" | "vessel" | "ice";

export interface Instrument {
  name: string;
  role: string;
  entry_lps_mm: Vec3;
  target_lps_mm: Vec3;
  radius_mm: number;
}

export interface Deposit {
  center_lps_mm: Vec3;
  radius_mm: number;
}

export interface SceneStep {
  id: string;
  label: Words;
  temperature: string | null;
  instruments: Instrument[];
  deposits: Deposit[];
  focus_lps_mm: Vec3;
}

export interface Scene {
  ct: PackedVolume;
  temperatures: Record<string, PackedVolume>;
  lesion: PackedVolume | null; // signed distance in millimeters, negative inside
  nerves: PackedVolume | null;
  surfaces: PackedSurface[];
  steps: SceneStep[];
  first_step: string;
  focus_lps_mm: Vec3;
  look_from: Vec3; // unit vector towards the camera of the 3-D view
  text: Record<string, Words>;
}

const arrays = { int8: Int8Array, int16: Int16Array, uint32: Uint32Array };

/** The numbers of an embedded array. Throws when its element is missing from the page. */
export async function unpack(packed: PackedArray): Promise<Int8Array | Int16Array | Uint32Array> {
  const element = document.getElementById(packed.element);
  if (!element) throw new Error(`the report holds no ${packed.element}`);
  const binary = atob((element.textContent ?? "").trim());
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new arrays[packed.type](await new Response(plain).arrayBuffer());
}

export function readScene(): Scene {
  const element = document.getElementById("scene");
  if (!element) throw new Error("the report holds no scene");
  return JSON.parse(element.textContent ?? "") as Scene;
}
