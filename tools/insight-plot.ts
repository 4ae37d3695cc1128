/** A forest plot as SVG: one line a measure, its effect size with two intervals. Readable in light and dark. */
export interface Effect {
  readonly measure: string;
  readonly d: number;
  readonly d_low: number;
  readonly d_high: number;
  /** Corrected p below 0.05. */
  readonly clear: boolean;
}

const LEFT = 238;
const WIDTH = 800;
const TOP = 44;
const LINE = 22;
const RIGHT = WIDTH - 170;
const LEAST = -0.4;
const MOST = 0.8;

/** Effects in the order given; the axis runs from −0.4 to 0.8. */
export function forestPlot(title: string, effects: readonly Effect[]): string {
  const bottom = TOP + effects.length * LINE;
  const ticks = [-0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8].map(
    (t) =>
      `<line class="${t === 0 ? "zero" : "grid"}" x1="${x(t)}" x2="${x(t)}" y1="${TOP - 6}" y2="${bottom}"/>` +
      `<text x="${x(t)}" y="${bottom + 18}" text-anchor="middle">${signed(t, 1)}</text>`,
  );
  const lines = effects.map((e, i) => {
    const y = TOP + i * LINE + LINE / 2;
    const kind = e.clear ? "clear" : "faint";
    return (
      `<text x="${LEFT - 12}" y="${y + 4}" text-anchor="end">${e.measure}</text>` +
      `<line class="${kind}" x1="${x(e.d_low)}" x2="${x(e.d_high)}" y1="${y}" y2="${y}"/>` +
      `<circle class="${kind}" cx="${x(e.d)}" cy="${y}" r="4"/>` +
      `<text x="${RIGHT + 14}" y="${y + 4}">${signed(e.d, 2)} [${signed(e.d_low, 2)}, ${signed(e.d_high, 2)}]</text>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 54}" role="img" aria-label="${title}">
<style>
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; font-size: 13px; }
.grid { stroke: #d0d7de; } .zero { stroke: #57606a; stroke-width: 1.5; }
line.clear { stroke: #0969da; stroke-width: 2; } circle.clear { fill: #0969da; }
line.faint { stroke: #8c959f; stroke-width: 2; } circle.faint { fill: #8c959f; }
.back { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .back { fill: #0d1117; } .grid { stroke: #30363d; } .zero { stroke: #8b949e; }
  line.clear { stroke: #58a6ff; } circle.clear { fill: #58a6ff; }
}
</style>
<rect class="back" width="100%" height="100%"/>
<text class="title" x="16" y="22">${title}</text>
${[...ticks, ...lines].join("\n")}
<text x="${x(0.2)}" y="${bottom + 40}" text-anchor="middle">Cohen’s d, won − lost, 95 % interval. Blue: p &lt; 0.05 after Holm’s correction</text>
</svg>
`;
}

const x = (d: number): string => (LEFT + ((clamp(d) - LEAST) / (MOST - LEAST)) * (RIGHT - LEFT)).toFixed(1);

function clamp(d: number): number {
  return Math.min(MOST, Math.max(LEAST, d));
}

function signed(n: number, digits: number): string {
  const text = Math.abs(n).toFixed(digits);
  return Number(text) === 0 ? text : `${n < 0 ? "−" : "+"}${text}`;
}
