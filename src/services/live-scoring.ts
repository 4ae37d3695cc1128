/**
 * Sentiment and alerts of calls that go on. Turns are on disk before they get here; whatever a process that died left
 * without a sentiment, another takes up. Of two that do the same, the store lets one save.
 */
import { EVERYTHING } from "../core/call.ts";
import { type LiveAlert, LIVE_RANGES, nextAlerts } from "../core/live-alerts.ts";
import { addTurn, fromTurns, type LiveState } from "../core/live-measures.ts";
import { supportsLanguage } from "../core/measures.ts";
import { hasWords } from "../core/words.ts";
import { AppError } from "../errors.ts";
import type { LiveCallRow, LiveCalls, LiveTurnRow, ScoredTurns, TurnScore } from "../ports/live-calls.ts";
import type { Models } from "../ports/models.ts";
import { endNow } from "./live-calls.ts";

export interface LiveCallSettings {
  /** A call without a turn for so long ends by itself, ms. */
  readonly idle_ms: number;
  /** Weight of the customer's newest turn in the live sentiment. */
  readonly alpha: number;
  /** How often is looked for silent, idle and abandoned calls, ms. */
  readonly look_ms: number;
  /** Turns without a sentiment for so long are nobody's, ms. */
  readonly abandoned_ms: number;
}

export const LIVE_CALL_SETTINGS: LiveCallSettings = {
  idle_ms: 30 * 60_000,
  alpha: 0.3,
  look_ms: 5_000,
  abandoned_ms: 5_000,
};

export interface ScoringDeps {
  readonly live: LiveCalls;
  readonly models: Pick<Models, "feel">;
  readonly now: () => number;
  readonly settings: LiveCallSettings;
  readonly onError: (error: unknown) => void;
}

export interface LiveScoring {
  /** Turns of this call are on disk. Returns at once. */
  arrived(call_id: string): void;
  /** Takes up what others left, sees to silent and idle calls; what a timer does. */
  look(): Promise<void>;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

/** Turns scored and saved together. */
const BATCH = 64;
/** Calls seen to in one look, of each kind. */
const LOOKED_AT = 500;

/** Looks once at the start, for what was left by processes before it, and then every few seconds. */
export function createLiveScoring(deps: ScoringDeps): LiveScoring {
  const { live, now, settings, onError } = deps;
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  let stopped = false;
  let looking: Promise<void> | null = null;

  const work = async (call_id: string): Promise<void> => {
    try {
      do again.delete(call_id);
      while (!stopped && ((await scoreSome(deps, call_id)) || again.has(call_id)));
    } catch (error) {
      // The next look takes it up.
      if (!(error instanceof AppError && error.code === "shutting_down")) onError(error);
    } finally {
      running.delete(call_id);
      again.delete(call_id);
    }
  };
  const arrived = (call_id: string): void => {
    if (stopped) return;
    again.add(call_id);
    if (!running.has(call_id)) running.set(call_id, work(call_id));
  };

  const lookOnce = async (grace_ms: number): Promise<void> => {
    for (const call_id of await live.unscored(now() - grace_ms, LOOKED_AT)) arrived(call_id);
    const idle_before = now() - settings.idle_ms;
    for (const call_id of await live.idle(idle_before, LOOKED_AT)) {
      if (stopped) return;
      await endNow({ live, writes: { live } }, { call_id, outcome: null, idle_before });
    }
    for (const call_id of await live.idle(now() - LIVE_RANGES.waiting_ms, LOOKED_AT)) {
      if (stopped) return;
      await alertOfSilence(deps, call_id);
    }
  };
  const look = (grace_ms = settings.abandoned_ms): Promise<void> => {
    looking ??= lookOnce(grace_ms)
      .catch((error: unknown) => {
        if (!stopped) onError(error);
      })
      .finally(() => {
        looking = null;
      });
    return looking;
  };
  const timer = setInterval(() => void look(), settings.look_ms).unref();
  void look(0);
  return {
    arrived,
    look: () => look(),
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
      await Promise.all(running.values());
    },
  };
}

/** Scores the next turns of a call and saves them; false when there is nothing (more) to do. */
async function scoreSome(deps: ScoringDeps, call_id: string): Promise<boolean> {
  const { live, models, now } = deps;
  const row = await live.row(call_id, EVERYTHING);
  if (row === null || row.scored >= row.position) return false;
  const turns = await live.turnsAfter(row.live_no, row.scored, BATCH);
  const last = turns.at(-1);
  if (last === undefined) return false;
  const supported = supportsLanguage(row.language);
  const felt = await models.feel(turns.map((turn) => turn.text));
  const scored = turns.map(
    (turn, i): Scored => ({
      ...turn,
      sentiment: supported && hasWords(turn.text) ? (felt.sentiment[i] ?? null) : null,
      method: felt.method,
    }),
  );
  const made = follows(row, scored) ? addEach(row, scored, now()) : await addAnew(deps, row, scored);
  await live.saveScores({ live_no: row.live_no, version: row.version, scored: last.position, ...made });
  // Saved or not: somebody else may have saved less than there is.
  return true;
}

type Scored = LiveTurnRow & Pick<TurnScore, "method" | "sentiment">;
type Made = Pick<ScoredTurns, "scores" | "state" | "alert_state" | "alerts">;

/** Whether these are the next turns, none of them a correction. */
function follows(row: LiveCallRow, turns: readonly Scored[]): boolean {
  return turns.every((turn, i) => turn.turn_index === row.state.turns + i);
}

function addEach(row: LiveCallRow, turns: readonly Scored[], now: number): Made {
  let { state, alert_state } = row;
  const alerts: LiveAlert[] = [];
  const scores = turns.map((turn) => {
    state = addTurn(state, turn);
    const next = nextAlerts(state, alert_state, now);
    alerts.push(...next.alerts);
    alert_state = next.state;
    return scoreOf(turn, state);
  });
  return { scores, state, alert_state, alerts };
}

/** After a correction all turns are counted again; those that are still without a sentiment as turns without one. */
async function addAnew({ live, now }: ScoringDeps, row: LiveCallRow, turns: readonly Scored[]): Promise<Made> {
  const known = await live.get(row.call_id, EVERYTHING);
  const fresh = new Map(turns.map((turn) => [turn.position, turn]));
  const all = (known?.turns ?? []).map((turn) => fresh.get(turn.position) ?? turn);
  const state = fromTurns(row.language, all, row.state.alpha);
  const next = nextAlerts(state, row.alert_state, now());
  return { scores: turns.map((turn) => scoreOf(turn, state)), state, alert_state: next.state, alerts: next.alerts };
}

function scoreOf({ turn_index, position, sentiment, method }: Scored, state: LiveState): TurnScore {
  return { turn_index, position, sentiment, method, live_sentiment: state.sentiment?.average ?? null };
}

/** A silence that goes on has no turn to come with. */
async function alertOfSilence({ live, now }: ScoringDeps, call_id: string): Promise<void> {
  const row = await live.row(call_id, EVERYTHING);
  if (row === null || row.scored < row.position) return;
  const { alerts, state: alert_state } = nextAlerts(row.state, row.alert_state, now());
  if (alerts.length === 0) return;
  const { live_no, version, scored, state } = row;
  await live.saveScores({ live_no, version, scored, scores: [], state, alert_state, alerts });
}
