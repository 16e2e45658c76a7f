// What is written on a picture: orientation letters, a scale bar, labels on isotherms, the cross.

import * as THREE from "three";
import { letters, type Plane } from "./plane";
import type { Volume } from "./volume";

export interface View {
  plane: Plane;
  mmPerPixel: number;
  width: number;
  height: number;
}

export function toPixel(view: View, point: THREE.Vector3): [number, number] {
  const offset = point.clone().sub(view.plane.center);
  return [
    view.width / 2 + offset.dot(view.plane.right) / view.mmPerPixel,
    view.height / 2 - offset.dot(view.plane.up) / view.mmPerPixel,
  ];
}

export function toLps(view: View, column: number, row: number): THREE.Vector3 {
  return view.plane.center
    .clone()
    .addScaledVector(view.plane.right, (column - view.width / 2) * view.mmPerPixel)
    .addScaledVector(view.plane.up, (view.height / 2 - row) * view.mmPerPixel);
}

export function write(pen: CanvasRenderingContext2D, text: string, column: number, row: number): void {
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  pen.strokeStyle = "#000";
  pen.strokeText(text, column, row);
  pen.fillText(text, column, row);
}

function setFont(pen: CanvasRenderingContext2D, view: View, size: number): void {
  const scale = Math.max(1, view.width / 420);
  pen.font = `600 ${Math.round(size * Math.min(scale, 1.6))}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = "#fff";
}

export function drawLetters(pen: CanvasRenderingContext2D, view: View): void {
  setFont(pen, view, 15);
  const { right, up } = view.plane;
  const edge = 14;
  write(pen, letters(right), view.width - edge, view.height / 2);
  write(pen, letters(right.clone().negate()), edge, view.height / 2);
  write(pen, letters(up), view.width / 2, edge);
  write(pen, letters(up.clone().negate()), view.width / 2, view.height - edge);
}

export function drawScaleBar(pen: CanvasRenderingContext2D, view: View): void {
  const lengths = [5, 10, 20, 50, 100];
  const length_mm = lengths.findLast((mm) => mm / view.mmPerPixel < view.width / 3) ?? lengths[0]!;
  const pixels = length_mm / view.mmPerPixel;
  const [left, row] = [12, view.height - 14];
  pen.fillStyle = "#000";
  pen.fillRect(left - 1, row - 2, pixels + 2, 5);
  pen.fillStyle = "#fff";
  pen.fillRect(left, row - 1, pixels, 3);
  setFont(pen, view, 12);
  pen.textAlign = "left";
  write(pen, `${length_mm} mm`, left, row - 12);
}

export function drawCross(pen: CanvasRenderingContext2D, view: View, point: THREE.Vector3): void {
  const [column, row] = toPixel(view, point);
  pen.strokeStyle = "rgba(255, 255, 255, 0.6)";
  pen.lineWidth = 1;
  pen.beginPath();
  for (const [a, b] of [[6, 16], [-6, -16]] as const) {
    pen.moveTo(column + a, row);
    pen.lineTo(column + b, row);
    pen.moveTo(column, row + a);
    pen.lineTo(column, row + b);
  }
  pen.stroke();
}

const levels = [
  { degC: 0, towards: [0, -1], text: "0 \u00b0C" },
  { degC: -20, towards: [1, 0], text: "\u221220" },
  { degC: -40, towards: [0, 1], text: "\u221240" },
] as const;

/** Writes each isotherm's temperature where it reaches farthest in a direction of its own. */
export function drawIsothermLabels(pen: CanvasRenderingContext2D, view: View, temperature: Volume): void {
  const step = Math.max(4, Math.round(view.width / 90));
  const best = levels.map(() => ({ reach: -Infinity, column: 0, row: 0 }));
  for (let row = 0; row < view.height; row += step) {
    for (let column = 0; column < view.width; column += step) {
      const degC = temperature.at(toLps(view, column, row));
      if (degC === null) continue;
      levels.forEach((level, n) => {
        const reach = column * level.towards[0] + row * level.towards[1];
        if (degC < level.degC && reach > best[n]!.reach) best[n] = { reach, column, row };
      });
    }
  }
  setFont(pen, view, 12);
  levels.forEach((level, n) => {
    const { reach, column, row } = best[n]!;
    if (reach > -Infinity) write(pen, level.text, column + 14 * level.towards[0], row + 10 * level.towards[1]);
  });
}
