// One classic script: a report opened from file:// may not load modules.
import { build } from "esbuild";

await build({
  entryPoints: ["src/main.ts"],
  outfile: "../src/trocar/reporting/static/viewer.js",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "ascii",
  legalComments: "inline",
  logLevel: "warning",
});
