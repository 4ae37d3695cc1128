/** A V8 CPU profile of a server as a flame graph (SVG) and a list of frames by their own time. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

export interface Frame {
  readonly frame: string;
  /** Percent of the time that was not idle, in the frame itself. */
  readonly self: number;
  /** The same with everything it called. */
  readonly total: number;
}

const IDLE = new Set(["(idle)", "(program)"]);
/** Below this frame a request is answered: what comes before the first and after the last is starting and stopping. */
const SERVING = "parserOnIncoming";
const WIDTH = 1_200;
const ROW = 16;
/** Boxes narrower than this many pixels are left out. */
const THIN = 0.6;

export function flameGraph(profile: CpuProfile, title: string): { svg: string; top: Frame[] } {
  const byId = new Map(profile.nodes.map((n) => [n.id, n]));
  const own = new Map<number, number>();
  const serves = new Set(profile.nodes.filter((n) => n.callFrame.functionName === SERVING).flatMap((n) => below(n.id)));
  const from = Math.max(
    0,
    profile.samples.findIndex((id) => serves.has(id)),
  );
  const to = serves.size === 0 ? profile.samples.length - 1 : profile.samples.findLastIndex((id) => serves.has(id));
  for (let i = from; i <= to; i++) {
    const id = profile.samples[i] as number;
    own.set(id, (own.get(id) ?? 0) + (profile.timeDeltas[i] ?? 0));
  }
  function below(id: number): number[] {
    return [id, ...(byId.get(id)?.children ?? []).flatMap(below)];
  }
  const name = (id: number): string => {
    const { functionName, url, lineNumber } = (byId.get(id) as CpuProfile["nodes"][number]).callFrame;
    const file = url.replace(/^.*\/(node_modules|src)\//, "").replace(/^file:\/\//, "");
    return `${functionName || "(anonymous)"}${file ? ` ${file}:${lineNumber + 1}` : ""}`;
  };
  const total = new Map<number, number>();
  const sum = (id: number): number => {
    const node = byId.get(id) as CpuProfile["nodes"][number];
    const idle = IDLE.has(node.callFrame.functionName);
    const time = (idle ? 0 : (own.get(id) ?? 0)) + (node.children ?? []).reduce((t, child) => t + sum(child), 0);
    total.set(id, time);
    return time;
  };
  const root = (profile.nodes[0] as CpuProfile["nodes"][number]).id;
  const all = sum(root) || 1;

  const self = new Map<string, number>();
  const whole = new Map<string, number>();
  const boxes: string[] = [];
  let depth = 0;
  const walk = (id: number, x: number, level: number, above: ReadonlySet<string>): void => {
    const node = byId.get(id) as CpuProfile["nodes"][number];
    if (IDLE.has(node.callFrame.functionName)) return;
    const time = total.get(id) as number;
    const label = name(id);
    self.set(label, (self.get(label) ?? 0) + (own.get(id) ?? 0));
    // A frame below itself counts once.
    if (!above.has(label)) whole.set(label, (whole.get(label) ?? 0) + time);
    const width = (WIDTH * time) / all;
    if (width >= THIN) {
      depth = Math.max(depth, level);
      const shown = width > 40 ? escape(label.slice(0, Math.floor(width / 6.5))) : "";
      const hue = 20 + ((label.length * 7) % 40);
      boxes.push(
        `<g transform="translate(${x.toFixed(1)} ${level * ROW + 24})"><title>${escape(label)} ${percent(time, all)} %</title>` +
          `<rect width="${width.toFixed(1)}" height="${ROW - 1}" fill="hsl(${hue} 80% 68%)"/><text x="2" y="11">${shown}</text></g>`,
      );
    }
    const names = new Set(above).add(label);
    let at = x;
    for (const child of (node.children ?? []).toSorted((a, b) => (total.get(b) ?? 0) - (total.get(a) ?? 0))) {
      walk(child, at, level + 1, names);
      at += (WIDTH * (total.get(child) as number)) / all;
    }
  };
  walk(root, 0, 0, new Set());
  const height = (depth + 1) * ROW + 30;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="monospace" font-size="10">` +
    `<rect width="100%" height="100%" fill="#fff"/><text x="4" y="14" font-size="13">${escape(title)}</text>${boxes.join("")}</svg>\n`;
  const top = Array.from(self, ([frame, time]) => ({
    frame,
    self: percent(time, all),
    total: percent(whole.get(frame) ?? 0, all),
  })).toSorted((a, b) => b.self - a.self);
  return { svg, top };
}

function percent(part: number, all: number): number {
  return Math.round((1_000 * part) / all) / 10;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
