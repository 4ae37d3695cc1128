import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { ReactNode } from "react";
import type { LiveCall } from "./live-types.ts";
import { Shown, Term } from "../call/measures.tsx";
import { clock, measure } from "../format.ts";
import { MeanSentiment, Unknown } from "../frame/sentiment.tsx";
import { TalkRatio } from "../frame/talk-ratio.tsx";
import { definitions } from "../queries.ts";
import { TrendMark } from "./trend.tsx";
import type { LiveTurns } from "./turns.ts";

interface LiveMeasuresProps {
  readonly found: LiveCall;
  readonly turns: LiveTurns["turns"];
}

/** What is known so far, as a strip. The average comes with each turn, the rest a moment later. */
export function LiveMeasures({ found, turns }: LiveMeasuresProps) {
  const average = turns.at(-1)?.live_sentiment ?? found.live_sentiment;
  return (
    <dl className="key-measures so-far" aria-label="Measures so far">
      <Value name="live_sentiment">
        <MeanSentiment score={average} />
      </Value>
      <Value name="trend">
        <TrendMark trend={found.trend} />
      </Value>
      <Value name="agent_talk_ratio">
        <TalkRatio ratio={found.agent_talk_ratio} />
      </Value>
      {found.longest_monologue_seconds === null ? (
        <Value name="longest_monologue_words">
          <Figure value={found.longest_monologue_words} unit="words" />
        </Value>
      ) : (
        <Value name="longest_monologue_seconds">
          <Figure value={found.longest_monologue_seconds} unit="s" />
        </Value>
      )}
      <Value name="silence_ms">
        <Waited since={found.last_turn_at} />
      </Value>
    </dl>
  );
}

interface ValueProps {
  readonly name: string;
  readonly children: ReactNode;
}

function Value({ name, children }: ValueProps) {
  const { data } = useQuery(definitions);
  const definition = data && [...data.body.live, ...data.body.measures].find((d) => d.name === name);
  return (
    <div className="measure">
      <dt>{definition && <Term definition={definition} />}</dt>
      <dd className="num">{children}</dd>
    </div>
  );
}

function Figure({ value, unit }: { readonly value: number | null; readonly unit: string }) {
  return value === null ? <Unknown /> : <Shown {...measure(value, unit)} />;
}

/** Counts on by itself: a silence is when nothing comes in. */
function Waited({ since }: { readonly since: string | null }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  if (since === null) return <Unknown />;
  // The server's clock may be ahead of this one.
  return <Shown figure={clock(Math.max(0, now - Date.parse(since)) / 1000)} unit="min" />;
}
