// One slice: the CT in its window, isotherms, outlines and instruments, all in patient millimeters.

export const vertexShader = `
out vec3 lps;
void main() {
  vec4 world = modelMatrix * vec4(position, 1.0);
  lps = world.xyz;
  gl_Position = projectionMatrix * viewMatrix * world;
}`;

export const MAX_RODS = 32;

// Dashes run around `dashCenter`: a line is told from the others by its pattern, not only by its color.
export const fragmentShader = `
precision highp float;
precision highp sampler3D;
uniform sampler3D ct, temperature, lesion, nerves;
uniform mat4 ctFromLps, temperatureFromLps, lesionFromLps, nervesFromLps;
uniform vec2 window; // center, width in HU
uniform vec3 right, up, dashCenter;
uniform bool overlays;
uniform float pixelMm;
uniform int rods;
uniform vec4 rodStart[${MAX_RODS}]; // xyz and radius
uniform vec4 rodEnd[${MAX_RODS}];   // xyz and kind: 0 instrument, 1 screw, 2 cement
in vec3 lps;
out vec4 color;

bool inside(vec3 t) { return all(greaterThanEqual(t, vec3(0.0))) && all(lessThanEqual(t, vec3(1.0))); }

float line(float value, float level, float halfWidth) {
  float pixels = abs(value - level) / max(fwidth(value), 1e-6);
  return 1.0 - smoothstep(halfWidth - 0.5, halfWidth + 0.5, pixels);
}

float dashes(float perTurn, float filled) {
  vec3 offset = lps - dashCenter;
  float turn = atan(dot(offset, up), dot(offset, right)) / 6.2831853 + 0.5;
  return step(fract(turn * perTurn), filled);
}

vec3 isotherms(vec3 base) {
  vec3 t = (temperatureFromLps * vec4(lps, 1.0)).xyz;
  float degC = texture(temperature, t).r;
  float l0 = line(degC, 0.0, 1.1), l20 = line(degC, -20.0, 1.1), l40 = line(degC, -40.0, 1.3);
  if (!inside(t)) return base;
  if (degC < 0.0) base = mix(base, vec3(0.35, 0.65, 1.0), 0.14);
  base = mix(base, vec3(0.62, 0.93, 1.0), l0);
  base = mix(base, vec3(0.20, 0.72, 1.0), l20 * dashes(28.0, 0.62));
  return mix(base, vec3(0.55, 0.55, 1.0), l40 * dashes(48.0, 0.4));
}

vec3 outlines(vec3 base) {
  vec3 t = (lesionFromLps * vec4(lps, 1.0)).xyz;
  float toLesion = texture(lesion, t).r;
  float lesionLine = line(toLesion, 0.0, 1.1) * dashes(64.0, 0.45);
  vec3 u = (nervesFromLps * vec4(lps, 1.0)).xyz;
  float toNerve = texture(nerves, u).r;
  float nerveLine = line(toNerve, 0.0, 1.1);
  if (inside(t)) base = mix(base, vec3(1.0, 0.45, 0.35), lesionLine);
  if (inside(u)) base = mix(base, vec3(1.0, 0.9, 0.2), nerveLine);
  return base;
}

float toSegment(vec3 a, vec3 b) {
  vec3 along = b - a;
  float t = clamp(dot(lps - a, along) / max(dot(along, along), 1e-6), 0.0, 1.0);
  return distance(lps, a + t * along);
}

vec3 instruments(vec3 base) {
  for (int n = 0; n < ${MAX_RODS}; n++) {
    if (n >= rods) break;
    float gap = toSegment(rodStart[n].xyz, rodEnd[n].xyz) - max(rodStart[n].w, pixelMm);
    float edge = 1.0 - smoothstep(0.0, 1.5 * pixelMm, abs(gap));
    float kind = rodEnd[n].w;
    vec3 hue = kind > 1.5 ? vec3(1.0) : kind > 0.5 ? vec3(0.85, 0.55, 1.0) : vec3(0.45, 1.0, 0.55);
    if (gap < 0.0) base = mix(base, hue, 0.45);
    base = mix(base, hue, edge);
  }
  return base;
}

void main() {
  vec3 t = (ctFromLps * vec4(lps, 1.0)).xyz;
  float hu = texture(ct, t).r;
  vec3 base = vec3(clamp((hu - window.x) / window.y + 0.5, 0.0, 1.0));
  if (!inside(t)) base = vec3(0.0);
  if (overlays) base = instruments(outlines(isotherms(base)));
  color = vec4(base, 1.0);
}`;
