import { Alert, Anchor, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useReducer, useRef, useState } from "react";
import { ApiError } from "../api.ts";
import type { LiveCall } from "./live-types.ts";
import { Nudges } from "../call/nudges.tsx";
import type { Advice } from "../call/nudges.tsx";
import { Participants } from "../call/participants.tsx";
import { Transcript } from "../call/transcript.tsx";
import type { TranscriptHandle } from "../call/transcript.tsx";
import { ago, timeOf } from "../format.ts";
import { Degraded, Failure, LoadingRows } from "../frame/states.tsx";
import { liveCall } from "../queries.ts";
import { Link, navigate, useView } from "../router.tsx";
import { adviceOf } from "./alerts.ts";
import { Following } from "./following.tsx";
import { LiveMeasures } from "./live-measures.tsx";
import { useStream } from "./stream.ts";
import type { StreamMessage } from "./stream-message.ts";
import { afterMessage, NO_TURNS } from "./turns.ts";
import type { LiveTurns } from "./turns.ts";
import { useSparingly } from "./use-sparingly.ts";

const SentimentChart = lazy(async () => ({ default: (await import("../call/sentiment-chart.tsx")).SentimentChart }));

/** The figures beside the turns are read again at most this often. */
const READ_EVERY_MS = 1500;

export function LiveCallView({ callId }: { readonly callId: string }) {
  const heading = useView(`Live call ${callId}`);
  const query = useQuery(liveCall(callId));
  const [said, hear] = useReducer(afterMessage, NO_TURNS);
  const again = useSparingly(liveCall(callId).queryKey, READ_EVERY_MS);
  const { data } = query;
  const stream = data && !said.complete ? `/ws/sentiment/${encodeURIComponent(callId)}` : null;
  const state = useStream(stream, (message: StreamMessage) => {
    hear(message);
    again();
  });
  const gone = query.error instanceof ApiError && query.error.status === 404;
  useEffect(() => {
    // Whoever comes too late, by a link or a bookmark, finds the call where it is kept.
    if (gone && !data) navigate(`/calls/${encodeURIComponent(callId)}`, { replace: true });
  }, [gone, data, callId]);
  const ended = said.complete || (gone && data !== undefined);
  return (
    <>
      <nav aria-label="Back" className="back">
        <Anchor component={Link} href="/live">
          <span aria-hidden="true">← </span>All live calls
        </Anchor>
      </nav>
      <div className="head">
        <Title order={1} ref={heading} tabIndex={-1}>
          <span className="dim">Live call </span>
          {callId}
        </Title>
        {data && <Following state={ended ? "ended" : state} />}
      </div>
      {!data && (query.isPending || gone) && <LoadingRows rows={12} />}
      {query.isError && !gone && <Failure error={query.error} retry={() => void query.refetch()} />}
      {ended && <Ended callId={callId} />}
      {data && <Loaded found={data.body} said={said} degraded={data.degraded} />}
    </>
  );
}

function Ended({ callId }: { readonly callId: string }) {
  return (
    <Alert color="indigo" variant="light" role="status" title="This call has ended" className="ended">
      <Anchor component={Link} href={`/calls/${encodeURIComponent(callId)}`}>
        Open its insights
      </Anchor>
      : all measures, coaching, and calls like it.
    </Alert>
  );
}

interface LoadedProps {
  readonly found: LiveCall;
  readonly said: LiveTurns;
  readonly degraded: readonly string[];
}

function Loaded({ found, said, degraded }: LoadedProps) {
  /** The alert whose turns are lit, by its text: others come in before it. */
  const [pointed, setPointed] = useState<Advice | null>(null);
  const [chosen, setChosen] = useState<Advice | null>(null);
  const transcript = useRef<TranscriptHandle>(null);
  const { turns } = said;
  const alerts = found.alerts.toReversed().map((alert) => adviceOf(alert, turns));
  const text = (pointed ?? chosen)?.text;
  const index = alerts.findIndex((alert) => alert.text === text);
  const evidence = alerts[index]?.evidence ?? [];
  const numbers = new Map(turns.map((turn) => [turn.turn_id, turn.turn_index + 1]));
  const point = (at: number | null) => {
    const alert = at === null ? null : (alerts[at] ?? null);
    setPointed(alert);
    if (alert?.evidence[0] !== undefined) transcript.current?.bringIntoView(alert.evidence[0]);
  };
  const choose = (at: number, turn_id: string) => {
    setChosen(alerts[at] ?? null);
    transcript.current?.goTo(turn_id);
  };
  return (
    <>
      <Facts found={found} />
      <Degraded parts={degraded} />
      {said.startedOver && (
        <p className="note" role="status">
          Too much had happened to catch up on: the turns were read anew.
        </p>
      )}
      <LiveMeasures found={found} turns={turns} />
      <div className="call">
        <section className="panel chart" aria-labelledby="chart-title">
          <h2 id="chart-title">Sentiment so far</h2>
          <Suspense fallback={<div className="chart-space" />}>
            <SentimentChart
              turns={turns}
              average={turns.map((turn) => turn.live_sentiment)}
              lit={evidence.map((id) => numbers.get(id) ?? 0)}
              onTurn={(turn_id) => transcript.current?.goTo(turn_id)}
            />
          </Suspense>
        </section>
        <section className="panel nudges" aria-labelledby="alerts-title">
          <h2 id="alerts-title">Alerts</h2>
          <div role="log" aria-labelledby="alerts-title">
            <Nudges
              nudges={alerts}
              reason="None so far. One appears when the agent talks for long, the customer’s mood falls, or nobody speaks."
              numbers={numbers}
              lit={index === -1 ? null : index}
              onPoint={point}
              onChoose={choose}
            />
          </div>
        </section>
        <section className="panel transcript live-transcript" aria-labelledby="transcript-title">
          <h2 id="transcript-title">Turns</h2>
          {turns.length === 0 ? (
            <p className="dim">Nothing has been said yet.</p>
          ) : (
            <Transcript
              ref={transcript}
              found={{ agent_id: found.agent_id, turns }}
              evidence={new Set(evidence)}
              mark="Alert"
              live
            />
          )}
        </section>
      </div>
    </>
  );
}

function Facts({ found }: { readonly found: LiveCall }) {
  return (
    <ul className="facts">
      <Participants agent_id={found.agent_id} customer_id={found.customer_id} />
      <li>
        <span className="dim">Began </span>
        {timeOf(found.start_time)} <span className="dim">({ago(found.start_time)})</span>
      </li>
    </ul>
  );
}
