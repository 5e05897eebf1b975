/** One thing, as another grows. */
export interface Plot {
  readonly title: string;
  readonly unit: string;
  /** The first numbers are what `along` of `drawPlots` names. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 480;
const HEIGHT = 140;
const LEFT = 64;
const BOTTOM = 24;
const TOP = 24;

/**
 * Small plots below each other, as an SVG that looks right on white and on black. From 0, or growth would
 * look like more than it is.
 */
export function drawPlots(plots: readonly Plot[], along: string): string {
  const height = plots.length * HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12" fill="#888888">`,
    ...plots.map((plot, index) => draw(plot, along, index * HEIGHT)),
    '</svg>',
    '',
  ].join('\n');
}

function draw({ title, unit, points }: Plot, along: string, top: number): string {
  const right = Math.max(...points.map(([x]) => x));
  const highest = Math.max(...points.map(([, y]) => y));
  const floor = top + HEIGHT - BOTTOM;
  const px = (x: number): string =>
    (LEFT + (right === 0 ? 0 : (x / right) * (WIDTH - LEFT - 8))).toFixed(1);
  const py = (y: number): string =>
    (floor - (highest === 0 ? 0 : (y / highest) * (HEIGHT - BOTTOM - TOP))).toFixed(1);
  const line = points.map(([x, y]) => `${px(x)},${py(y)}`).join(' ');
  return [
    `<text x="${LEFT}" y="${top + 14}" font-weight="bold">${title}</text>`,
    `<path d="M${LEFT},${top + TOP}V${floor}H${WIDTH - 8}" fill="none" stroke="#888888"/>`,
    `<text x="${LEFT - 6}" y="${top + TOP + 4}" text-anchor="end">${round(highest)} ${unit}</text>`,
    `<text x="${LEFT - 6}" y="${floor + 4}" text-anchor="end">0</text>`,
    `<text x="${WIDTH - 8}" y="${floor + 16}" text-anchor="end">${round(right)} ${along}</text>`,
    `<polyline points="${line}" fill="none" stroke="#2f81f7" stroke-width="1.5"/>`,
  ].join('\n');
}

const round = (value: number): string => (value < 10 ? value.toFixed(1) : value.toFixed(0));
