import { useImperativeHandle, useLayoutEffect, useRef } from "react";
import type { Ref } from "react";
import type { Call, Turn } from "../api-types.ts";
import { TurnSentiment } from "../frame/sentiment.tsx";
import { agentName, clock } from "../format.ts";

export interface TranscriptHandle {
  /** Scrolls the transcript's own box, and nothing else: the page stays where the reader is. */
  bringIntoView(turn_id: string): void;
  /** Scrolls to the turn wherever it is, and focuses it. */
  goTo(turn_id: string): void;
}

interface TranscriptProps {
  readonly ref: Ref<TranscriptHandle>;
  readonly found: Pick<Call, "agent_id" | "turns">;
  readonly evidence: ReadonlySet<string>;
  /** What the evidence belongs to, in a word or two. */
  readonly mark: string | null;
  /** Turns come in: the newest stays in view for whoever looks at the end. */
  readonly live?: boolean;
}

/** So near to its end, a reader looks at the end. */
const AT_END_PX = 48;

export function Transcript({ ref, found, evidence, mark, live = false }: TranscriptProps) {
  const box = useRef<HTMLDivElement>(null);
  const turns = useRef(new Map<string, HTMLLIElement>());
  const atEnd = useRef(live);
  useImperativeHandle(ref, () => ({
    bringIntoView(turn_id) {
      atEnd.current = false;
      const turn = turns.current.get(turn_id);
      const { current } = box;
      if (!turn || !current || current.scrollHeight <= current.clientHeight) return;
      // To the middle of what can be seen of the box: it may begin or end outside of the window.
      const { top, bottom } = current.getBoundingClientRect();
      const hidden = Math.max(0, -top);
      const seen = Math.max(turn.offsetHeight, Math.min(innerHeight, bottom) - Math.max(0, top));
      current.scrollTo({ top: turn.offsetTop - hidden - (seen - turn.offsetHeight) / 2, behavior: behavior() });
    },
    goTo(turn_id) {
      atEnd.current = false;
      const turn = turns.current.get(turn_id);
      turn?.focus({ preventScroll: true });
      turn?.scrollIntoView({ block: "center", behavior: behavior() });
    },
  }));
  useLayoutEffect(() => {
    if (atEnd.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  });
  const scrolled = () => {
    const { current } = box;
    if (live && current) atEnd.current = current.scrollHeight - current.clientHeight - current.scrollTop < AT_END_PX;
  };
  if (found.turns.length === 0) return <p className="dim">This call has no turns.</p>;
  const wordless = found.turns.every((turn) => turn.text === null);
  return (
    // A box that scrolls must take the focus, or the keyboard cannot scroll it.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div
      className="turns-box"
      ref={box}
      tabIndex={0}
      role={live ? "log" : "region"}
      aria-label="Turns of the call"
      onScroll={scrolled}
    >
      {wordless && (
        <p className="wordless dim">Your role sees who spoke when, and how it sounded, but not the words.</p>
      )}
      <ol className="turns">
        {found.turns.map((turn, i) => (
          <li
            key={turn.turn_id}
            ref={(element) => {
              if (element) turns.current.set(turn.turn_id, element);
              else turns.current.delete(turn.turn_id);
            }}
            tabIndex={-1}
            className="turn"
            data-speaker={turn.speaker}
            data-lit={evidence.has(turn.turn_id)}
            aria-label={`Turn ${i + 1}`}
          >
            <TurnBody
              turn={turn}
              number={i + 1}
              agent={found.agent_id}
              mark={evidence.has(turn.turn_id) ? mark : null}
            />
          </li>
        ))}
      </ol>
    </div>
  );
}

interface TurnProps {
  readonly turn: Turn;
  readonly number: number;
  readonly agent: string;
  readonly mark: string | null;
}

function TurnBody({ turn, number, agent, mark }: TurnProps) {
  return (
    <>
      <span className="turn-at num">
        <span>{number}</span>
        {turn.start_ms !== null && <span className="dim">{clock(turn.start_ms / 1000)}</span>}
      </span>
      <span className="turn-words">
        <span className="turn-speaker">{turn.speaker === "agent" ? agentName(agent) : "Customer"}</span>
        {turn.text}
      </span>
      <span className="turn-end">
        <TurnSentiment score={turn.sentiment} label={turn.sentiment_label} />
        {mark !== null && <span className="turn-nudge">{mark}</span>}
      </span>
    </>
  );
}

function behavior(): ScrollBehavior {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
}
