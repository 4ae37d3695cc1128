/** Small plots as SVG, readable in light and dark. */
const WIDTH = 760;
const LEFT = 250;
const INK = "#777";
const COLOURS = ["#3b7dd8", "#d8743b", "#3ba55d", "#a53ba0", "#b8a300", "#5b5bd6"];

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly goal: number;
}

/** Bars on a log scale from 1, each with its goal as a line. */
export function barPlot(title: string, bars: readonly Bar[]): string {
  const most = Math.max(10, ...bars.flatMap((b) => [b.value, b.goal]));
  const x = (v: number) => LEFT + ((WIDTH - LEFT - 70) * Math.log10(Math.max(1, v))) / Math.log10(most);
  const rows = bars.map((bar, i) => {
    const y = 34 + i * 26;
    const met = bar.value >= bar.goal;
    return (
      `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${escape(bar.label)}</text>` +
      `<rect x="${LEFT}" y="${y}" width="${number(x(bar.value) - LEFT)}" height="18" fill="${met ? COLOURS[0] : COLOURS[1]}"/>` +
      `<line x1="${number(x(bar.goal))}" x2="${number(x(bar.goal))}" y1="${y - 3}" y2="${y + 21}" stroke="${INK}" stroke-width="2"/>` +
      `<text x="${number(x(bar.value) + 6)}" y="${y + 13}">${number(bar.value)}x</text>`
    );
  });
  return svg(title, 44 + bars.length * 26, rows.join(""));
}

interface Series {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Lines with both axes on a log scale, ticks at the points and at powers of ten. */
export function linePlot(title: string, series: readonly Series[]): string {
  const all = series.flatMap((s) => s.points);
  if (all.length === 0) return svg(title, 60, "");
  const [top, bottom, left, right] = [40, 300, 70, WIDTH - 170];
  const xs = [...new Set(all.map(([x]) => x))].toSorted((a, b) => a - b);
  const low = 10 ** Math.floor(Math.log10(Math.min(...all.map(([, y]) => y))));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...all.map(([, y]) => y)) * 1.0001));
  const px = (v: number) => left + (right - left) * share(v, xs[0] as number, xs.at(-1) as number);
  const py = (v: number) => bottom - (bottom - top) * share(v, low, high);
  const out: string[] = [];
  for (const x of xs) {
    out.push(`<text x="${number(px(x))}" y="${bottom + 18}" text-anchor="middle">${x.toLocaleString("en")}</text>`);
  }
  for (let y = low; y <= high * 1.001; y *= 10) {
    const at = number(py(y));
    out.push(`<line x1="${left}" x2="${right}" y1="${at}" y2="${at}" stroke="${INK}" stroke-opacity="0.3"/>`);
    out.push(`<text x="${left - 8}" y="${number(py(y) + 4)}" text-anchor="end">${number(y)}</text>`);
  }
  for (const [i, { label, points }] of series.entries()) {
    const colour = COLOURS[i % COLOURS.length];
    const path = points.map(([x, y]) => `${number(px(x))},${number(py(y))}`);
    out.push(`<polyline points="${path.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const point of path) out.push(`<circle cx="${point.replace(",", '" cy="')}" r="3" fill="${colour}"/>`);
    out.push(`<rect x="${right + 16}" y="${top + i * 20}" width="12" height="12" fill="${colour}"/>`);
    out.push(`<text x="${right + 34}" y="${top + 10 + i * 20}">${escape(label)}</text>`);
  }
  return svg(title, bottom + 34, out.join(""));
}

/** Where v lies between a (0) and b (1) on a log scale. */
function share(v: number, a: number, b: number): number {
  return a === b ? 0.5 : Math.log(v / a) / Math.log(b / a);
}

function svg(title: string, height: number, body: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ` +
    `font-family="sans-serif" font-size="12" fill="${INK}"><text x="8" y="18" font-size="14">${escape(title)}</text>${body}</svg>\n`
  );
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
