// A volume in patient space (LPS, millimeters): sampled on the graphics card and, for read-outs, here.

import * as THREE from "three";
import { unpack, type PackedVolume, type Vec3 } from "./payload";

export class Volume {
  readonly texture: THREE.Data3DTexture;
  /** Texture coordinates (0..1 between the outer voxel faces) from patient space. */
  readonly textureFromLps: THREE.Matrix4;
  private readonly ijkFromLps: THREE.Matrix4;

  constructor(
    private readonly stored: Int8Array | Int16Array | Uint32Array,
    private readonly dims: Vec3,
    private readonly scale: number,
    readonly lpsFromIjk: THREE.Matrix4,
  ) {
    this.ijkFromLps = lpsFromIjk.clone().invert();
    const textureFromIjk = new THREE.Matrix4()
      .makeScale(1 / dims[0], 1 / dims[1], 1 / dims[2])
      .multiply(new THREE.Matrix4().makeTranslation(0.5, 0.5, 0.5));
    this.textureFromLps = textureFromIjk.multiply(this.ijkFromLps);
    this.texture = halfFloatTexture(stored, dims, scale);
  }

  /** The eight corners of the outer voxel centers. */
  corners(): THREE.Vector3[] {
    const ends = this.dims.map((n) => [0, n - 1]) as [number, number][];
    return [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
      new THREE.Vector3(...ends.map((end, axis) => end[(bits >> axis) & 1]) as Vec3).applyMatrix4(this.lpsFromIjk),
    );
  }

  /** The trilinear value at a point; `null` outside the outer voxel centers. */
  at(point: THREE.Vector3): number | null {
    const p = point.clone().applyMatrix4(this.ijkFromLps);
    const where = [p.x, p.y, p.z];
    if (where.some((x, axis) => x < 0 || x > this.dims[axis]! - 1)) return null;
    const low = where.map((x, axis) => Math.min(Math.floor(x), Math.max(this.dims[axis]! - 2, 0)));
    let value = 0;
    for (let corner = 0; corner < 8; corner++) {
      let weight = 1;
      let offset = 0;
      let stride = 1;
      for (let axis = 0; axis < 3; axis++) {
        const up = (corner >> axis) & 1;
        const fraction = where[axis]! - low[axis]!;
        weight *= up ? fraction : 1 - fraction;
        offset += Math.min(low[axis]! + up, this.dims[axis]! - 1) * stride;
        stride *= this.dims[axis]!;
      }
      if (weight > 0) value += weight * this.stored[offset]!;
    }
    return value * this.scale;
  }
}

/** R16F: linear filtering is core in WebGL 2, and Hounsfield units are exact up to 2048. */
function halfFloatTexture(stored: ArrayLike<number>, dims: Vec3, scale: number): THREE.Data3DTexture {
  const table = new Map<number, number>();
  const half = new Uint16Array(stored.length);
  for (let n = 0; n < stored.length; n++) {
    const value = stored[n]!;
    let known = table.get(value);
    if (known === undefined) {
      known = THREE.DataUtils.toHalfFloat(value * scale);
      table.set(value, known);
    }
    half[n] = known;
  }
  const texture = new THREE.Data3DTexture(half, dims[0], dims[1], dims[2]);
  texture.format = THREE.RedFormat;
  texture.type = THREE.HalfFloatType;
  texture.internalFormat = "R16F";
  texture.minFilter = texture.magFilter = THREE.LinearFilter;
  texture.unpackAlignment = 1;
  texture.needsUpdate = true;
  return texture;
}

export async function loadVolume(packed: PackedVolume): Promise<Volume> {
  const matrix = new THREE.Matrix4().set(...(packed.lps_from_ijk as Parameters<THREE.Matrix4["set"]>));
  return new Volume(await unpack(packed), packed.dims, packed.scale, matrix);
}

/** A volume of one value, for what a case does not have. */
export function uniform(value: number): Volume {
  return new Volume(new Int16Array([value]), [1, 1, 1], 1, new THREE.Matrix4());
}
