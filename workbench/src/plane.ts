// Where a picture lies in patient space. LPS: +x is the patient's left, +y posterior, +z the head.

import * as THREE from "three";

export interface Plane {
  center: THREE.Vector3;
  right: THREE.Vector3; // of the picture, in patient space
  up: THREE.Vector3;
}

const x = new THREE.Vector3(1, 0, 0);
const y = new THREE.Vector3(0, 1, 0);
const z = new THREE.Vector3(0, 0, 1);

/** Radiological convention: the patient's left on the picture's right; axial pictures are seen from the feet. */
export function axial(center: THREE.Vector3): Plane {
  return { center, right: x.clone(), up: y.clone().negate() };
}

export function coronal(center: THREE.Vector3): Plane {
  return { center, right: x.clone(), up: z.clone() };
}

/** Seen from the patient's left: anterior is on the picture's left. */
export function sagittal(center: THREE.Vector3): Plane {
  return { center, right: y.clone(), up: z.clone() };
}

/**
 * The plane that holds an instrument and is nearest to an axial one, or to a coronal one for an instrument along the
 * body; turned so that the patient's left stays on the right.
 */
export function along(entry: THREE.Vector3, target: THREE.Vector3, center: THREE.Vector3): Plane {
  const axis = target.clone().sub(entry).normalize();
  const [across, up] = Math.abs(axis.z) < 0.7 ? [x, y.clone().negate()] : [x, z];
  const normal = axis.clone().cross(leastAligned(axis, across, up)).normalize();
  const flatUp = up.clone().addScaledVector(normal, -up.dot(normal));
  if (flatUp.length() < 0.05) flatUp.copy(axis);
  flatUp.normalize();
  const right = flatUp.clone().cross(normal).normalize();
  if (right.dot(x) < 0) right.negate();
  return { center, right, up: flatUp };
}

/** Of two directions, the one that makes the wider angle with an axis, so that their cross product is sound. */
function leastAligned(axis: THREE.Vector3, first: THREE.Vector3, second: THREE.Vector3): THREE.Vector3 {
  return Math.abs(axis.dot(first)) <= Math.abs(axis.dot(second)) ? first : second;
}

/** Out of the picture, towards the viewer. */
export function normal(plane: Plane): THREE.Vector3 {
  return plane.right.clone().cross(plane.up).normalize();
}

/** The one or two letters (R L A P H F) of a direction, the stronger first. */
export function letters(direction: THREE.Vector3): string {
  const parts: [number, string][] = [
    [direction.x, direction.x > 0 ? "L" : "R"],
    [direction.y, direction.y > 0 ? "P" : "A"],
    [direction.z, direction.z > 0 ? "H" : "F"],
  ];
  return parts
    .filter(([size]) => Math.abs(size) > 0.3)
    .sort(([a], [b]) => Math.abs(b) - Math.abs(a))
    .slice(0, 2)
    .map(([, letter]) => letter)
    .join("");
}
