// The few form controls of the viewer; each is labeled and re-labeled when the language changes.

type Label = () => string;
type Relabel = (() => void)[];

function labeled(label: Label, relabel: Relabel): HTMLSpanElement {
  const span = document.createElement("span");
  const update = (): void => {
    const text = label();
    if (span.textContent !== text) span.textContent = text;
  };
  update();
  relabel.push(update);
  return span;
}

export interface Choice {
  value: string;
  label: Label;
}

export function select(
  parent: HTMLElement, label: Label, choices: Choice[], relabel: Relabel, onChange: (value: string) => void,
): HTMLSelectElement {
  const frame = document.createElement("label");
  const input = document.createElement("select");
  for (const choice of choices) {
    const option = document.createElement("option");
    option.value = choice.value;
    option.append(choice.label());
    relabel.push(() => (option.textContent = choice.label()));
    input.append(option);
  }
  input.addEventListener("change", () => onChange(input.value));
  frame.append(labeled(label, relabel), input);
  parent.append(frame);
  return input;
}

export function checkbox(parent: HTMLElement, label: Label, relabel: Relabel, onChange: (on: boolean) => void): void {
  const frame = document.createElement("label");
  const input = document.createElement("input");
  input.type = "checkbox";
  input.checked = true;
  input.addEventListener("change", () => onChange(input.checked));
  frame.append(input, labeled(label, relabel));
  parent.append(frame);
}

export function button(parent: HTMLElement, label: Label, relabel: Relabel, onClick: () => void): void {
  const input = document.createElement("button");
  input.type = "button";
  input.append(labeled(label, relabel));
  input.addEventListener("click", onClick);
  parent.append(input);
}

export interface Range {
  low: number;
  high: number;
  value: number;
  onInput: (value: number) => void;
}

export function slider(parent: HTMLElement, label: Label, relabel: Relabel, range: Range): HTMLInputElement {
  const input = document.createElement("input");
  Object.assign(input, { type: "range", min: String(range.low), max: String(range.high), step: "0.5" });
  input.value = String(range.value);
  const name = (): void => input.setAttribute("aria-label", label());
  name();
  relabel.push(name);
  input.addEventListener("input", () => range.onInput(Number(input.value)));
  parent.append(input);
  return input;
}

export function canvasPane(
  grid: HTMLElement, label: Label, relabel: Relabel,
): { frame: HTMLElement; canvas: HTMLCanvasElement } {
  const frame = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.append(labeled(label, relabel));
  const canvas = document.createElement("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  const name = (): void => canvas.setAttribute("aria-label", label());
  name();
  relabel.push(name);
  frame.append(caption, canvas);
  grid.append(frame);
  return { frame, canvas };
}
