/** Loaded with the first call that is opened: the charts weigh more than the rest of the page. */
import "@mantine/charts/styles.css";
import { LineChart } from "@mantine/charts";
import type { Turn } from "../api-types.ts";
import { clock, signed } from "../format.ts";

interface ChartProps {
  readonly turns: readonly Turn[];
  /** Numbers of turns to mark. */
  readonly lit: readonly number[];
  readonly onTurn: (turn_id: string) => void;
  /** The moving average after each turn, for a call that goes on: turns are dots beside its line. */
  readonly average?: readonly (number | null)[];
}

const SERIES = [
  { name: "Customer", color: "var(--customer)" },
  { name: "Agent", color: "var(--agent)", strokeDasharray: "3 4" },
];

const MOVING = "Average";
const LIVE_SERIES = [
  { name: MOVING, color: "var(--ink)" },
  { name: "Customer", color: "var(--customer)" },
  { name: "Agent", color: "var(--agent)" },
];
const LINE = { isAnimationActive: false };
const lineOf = ({ name }: { readonly name: string }) => {
  if (name === MOVING) return { ...LINE, dot: false, strokeWidth: 2 };
  return { ...LINE, strokeWidth: 0, dot: { r: name === "Agent" ? 2 : 3, strokeWidth: 0 } };
};

export function SentimentChart({ turns, lit, onTurn, average }: ChartProps) {
  const data = turns.map((turn, i) => ({
    turn: i + 1,
    [turn.speaker === "customer" ? "Customer" : "Agent"]: turn.sentiment,
    [MOVING]: average?.[i],
  }));
  return (
    <figure className="chart-space">
      <div role="img" aria-label={summary(turns)}>
        <LineChart
          h={184}
          data={data}
          dataKey="turn"
          series={average ? LIVE_SERIES : SERIES}
          curveType="linear"
          strokeWidth={1.75}
          dotProps={{ r: 2.5, strokeWidth: 0 }}
          activeDotProps={{ r: 4, strokeWidth: 0 }}
          yAxisProps={{
            domain: [-1, 1],
            ticks: [-1, -0.5, 0, 0.5, 1],
            width: 44,
            tickFormatter: (y: number) => signed(y),
          }}
          xAxisProps={{ type: "number", domain: [1, Math.max(2, turns.length)], allowDecimals: false, tickCount: 9 }}
          valueFormatter={signed}
          gridAxis="x"
          withLegend
          legendProps={{ verticalAlign: "top", height: 30 }}
          lineProps={average ? lineOf : LINE}
          referenceLines={[
            { y: 0, color: "var(--zero)" },
            ...lit.map((turn) => ({ x: turn, color: "var(--lit-line)", strokeWidth: 2 })),
          ]}
          lineChartProps={{
            accessibilityLayer: false,
            onClick: ({ activeLabel }) => {
              const turn = turns[Number(activeLabel) - 1];
              if (turn) onTurn(turn.turn_id);
            },
          }}
          tooltipProps={{ content: ({ label }) => <Told turn={turns[Number(label) - 1]} number={Number(label)} /> }}
          tooltipAnimationDuration={0}
        />
      </div>
      <figcaption className="dim small">
        Each turn’s sentiment, from −1 (negative) to +1 (positive){average && ", and the customer’s moving average"}.
        Click a point to go to its turn.
      </figcaption>
    </figure>
  );
}

function Told({ turn, number }: { readonly turn: Turn | undefined; readonly number: number }) {
  if (!turn) return null;
  const at = turn.start_ms === null ? "" : `, ${clock(turn.start_ms / 1000)}`;
  return (
    <div className="chart-tip">
      <strong>
        Turn {number}
        {at} · {turn.speaker === "agent" ? "Agent" : "Customer"} {turn.sentiment === null ? "" : signed(turn.sentiment)}
      </strong>
      {turn.text !== null && <span>{turn.text.length > 110 ? `${turn.text.slice(0, 110)}…` : turn.text}</span>}
    </div>
  );
}

function summary(turns: readonly Turn[]): string {
  const of = (speaker: Turn["speaker"]) => {
    const scores = turns.flatMap((t) => (t.speaker === speaker && t.sentiment !== null ? [t.sentiment] : []));
    if (scores.length === 0) return `no values for the ${speaker}`;
    return `${speaker} between ${signed(Math.min(...scores))} and ${signed(Math.max(...scores))}`;
  };
  return `Sentiment by turn: ${of("customer")}, ${of("agent")}. Each turn's value stands in the transcript.`;
}
