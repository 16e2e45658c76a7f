// Starts the viewer when the page is ready; without WebGL 2 the report's own message and static figures remain.

import { pageLanguage, Viewer } from "./viewer";

declare global {
  interface Window {
    trocarViewer?: Viewer;
  }
}

async function start(root: HTMLElement): Promise<void> {
  try {
    const viewer = await Viewer.open(root);
    window.trocarViewer = viewer;
    new MutationObserver(() => viewer.setLanguage(pageLanguage())).observe(document.documentElement, {
      attributeFilter: ["lang"],
    });
    document.documentElement.dataset["viewer"] = "ready";
  } catch (error) {
    document.documentElement.dataset["viewer"] = "missing";
    document.getElementById("viewer-missing")?.removeAttribute("hidden");
    root.hidden = true;
    console.info("trocar: the interactive view could not start:", error);
  }
}

const root = document.getElementById("viewer");
if (root) void start(root);
