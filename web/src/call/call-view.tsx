import { Anchor, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useRef, useState } from "react";
import type { Call, CallRow } from "../api-types.ts";
import { EnrichmentState } from "../frame/enrichment-state.tsx";
import { Outcome } from "../frame/outcome.tsx";
import { Degraded, Failure, LoadingRows } from "../frame/states.tsx";
import { ago, clock, dayOf, timeOf } from "../format.ts";
import { call as callQuery, recommendations } from "../queries.ts";
import { lastListAddress, Link, useView } from "../router.tsx";
import { KeyMeasures, Measures } from "./measures.tsx";
import { Nudges } from "./nudges.tsx";
import { Participants } from "./participants.tsx";
import { SimilarCalls } from "./similar-calls.tsx";
import { Transcript } from "./transcript.tsx";
import type { TranscriptHandle } from "./transcript.tsx";

const SentimentChart = lazy(async () => ({ default: (await import("./sentiment-chart.tsx")).SentimentChart }));

export function CallView({ callId }: { readonly callId: string }) {
  const heading = useView(`Call ${callId}`);
  const query = useQuery(callQuery(callId));
  const found = query.data?.body;
  return (
    <>
      <nav aria-label="Back" className="back">
        <Anchor component={Link} href={lastListAddress()}>
          <span aria-hidden="true">← </span>All calls
        </Anchor>
      </nav>
      <div className="head">
        <Title order={1} ref={heading} tabIndex={-1}>
          <span className="dim">Call </span>
          {callId}
        </Title>
        {found && <EnrichmentState state={found.enrichment.state} />}
      </div>
      {query.isPending && <LoadingRows rows={12} />}
      {query.isError && <Failure error={query.error} retry={() => void query.refetch()} />}
      {found && !query.isError && <Loaded found={found} degraded={query.data?.degraded ?? []} />}
    </>
  );
}

function Loaded({ found, degraded }: { readonly found: Call; readonly degraded: readonly string[] }) {
  /** The nudge whose turns are lit: pointed at or focused, else the one that was clicked. */
  const [pointed, setPointed] = useState<number | null>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const transcript = useRef<TranscriptHandle>(null);
  const advice = useQuery(recommendations(found.call_id, found.enrichment.at));
  const nudges = advice.data?.body.nudges ?? [];
  const lit = pointed ?? chosen;
  const evidence = lit === null ? [] : (nudges[lit]?.evidence ?? []);
  const numbers = new Map(found.turns.map((turn, i) => [turn.turn_id, i + 1]));
  const point = (index: number | null) => {
    setPointed(index);
    const first = index === null ? undefined : nudges[index]?.evidence[0];
    if (first !== undefined) transcript.current?.bringIntoView(first);
  };
  const choose = (index: number, turn_id: string) => {
    setChosen(index);
    transcript.current?.goTo(turn_id);
  };
  return (
    <>
      <Facts found={found} />
      <Degraded parts={[...new Set([...degraded, ...(advice.data?.degraded ?? [])])]} />
      <KeyMeasures insights={found.insights} />
      <div className="call">
        <section className="panel chart" aria-labelledby="chart-title">
          <h2 id="chart-title">Sentiment over the call</h2>
          {found.insights === null ? (
            <Waiting state={found.enrichment.state} />
          ) : (
            <Suspense fallback={<div className="chart-space" />}>
              <SentimentChart
                turns={found.turns}
                lit={evidence.map((id) => numbers.get(id) ?? 0)}
                onTurn={(turn_id) => transcript.current?.goTo(turn_id)}
              />
            </Suspense>
          )}
        </section>
        <section className="panel nudges" aria-labelledby="nudges-title">
          <h2 id="nudges-title">Coaching</h2>
          {advice.isPending && <LoadingRows rows={6} />}
          {advice.isError && <Failure error={advice.error} retry={() => void advice.refetch()} />}
          {advice.isSuccess && (
            <Nudges
              nudges={nudges}
              reason={advice.data.body.nudges_reason}
              numbers={numbers}
              lit={lit}
              onPoint={point}
              onChoose={choose}
            />
          )}
        </section>
        <section className="panel transcript" aria-labelledby="transcript-title">
          <h2 id="transcript-title">Transcript</h2>
          <Transcript
            ref={transcript}
            found={found}
            evidence={new Set(evidence)}
            mark={lit === null ? null : `Nudge ${lit + 1}`}
          />
        </section>
        <section className="panel similar" aria-labelledby="similar-title">
          <h2 id="similar-title">Similar calls</h2>
          {advice.isPending && <LoadingRows rows={5} />}
          {advice.isSuccess && (
            <SimilarCalls calls={advice.data.body.similar_calls} reason={advice.data.body.similar_calls_reason} />
          )}
        </section>
      </div>
      <section className="panel" aria-labelledby="measures-title">
        <h2 id="measures-title">All measures</h2>
        <Measures insights={found.insights} />
      </section>
    </>
  );
}

function Facts({ found }: { readonly found: CallRow }) {
  return (
    <ul className="facts">
      <Participants agent_id={found.agent_id} customer_id={found.customer_id} />
      <li>
        {dayOf(found.start_time)}, {timeOf(found.start_time)} <span className="dim">({ago(found.start_time)})</span>
      </li>
      {found.duration_seconds !== null && <li className="num">{clock(found.duration_seconds)} min</li>}
      {found.outcome !== null && (
        <li>
          <Outcome outcome={found.outcome} />
        </li>
      )}
    </ul>
  );
}

function Waiting({ state }: { readonly state: CallRow["enrichment"]["state"] }) {
  if (state === "dead") return <p className="dim">The insights of this call could not be made.</p>;
  return <p className="dim">The insights of this call are being made; they appear here by themselves.</p>;
}
