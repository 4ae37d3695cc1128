/** What the sentiment stream says of a call that goes on: turns as they get their sentiment, corrections, alerts. */
import type { LiveSentiment } from "../core/sentiment.ts";
import type { LiveCallRow, LiveCalls, LiveTurnRow } from "../ports/live-calls.ts";
import { liveName, moodAfter, sentimentLine } from "./sentiment-lines.ts";
import type { Line, Script } from "./sentiment-lines.ts";

/** Lines are only ever added at the end. */
export interface LiveScript extends Script {
  readonly live_no: number;
  /** Up to this position turns are in it. */
  readonly read: number;
  /** Turns that followed, by position, all with position ≤ `row.scored`; and the alerts that `row` has more. */
  add(row: LiveCallRow, turns: readonly LiveTurnRow[]): void;
}

const STEP = 500;

/** `personal` false leaves the words out. */
function startScript({ live_no, start_time, state: { alpha } }: LiveCallRow, personal: boolean): LiveScript {
  const name = liveName(start_time, live_no);
  const lines: (Line | null)[] = [];
  /** By turn: as it is now, where its line is, and the mood after it. */
  const said: ({ turn: LiveTurnRow; line: number; live: LiveSentiment | null } | undefined)[] = [];
  let read = 0;
  let alerts = 0;

  function addTurn(call_id: string, turn: LiveTurnRow): void {
    const { turn_index } = turn;
    const before = said[turn_index];
    if (before !== undefined) lines[before.line] = null;
    // A turn that is being corrected may be away.
    const previous = said.findLast((one, i) => one !== undefined && i < turn_index);
    const live = moodAfter(previous?.live ?? null, turn, alpha);
    said[turn_index] = { turn, line: lines.length, live };
    // After a correction the mood after all that followed is another.
    let mood = live;
    for (const one of said.slice(turn_index + 1)) if (one) one.live = mood = moodAfter(mood, one.turn, alpha);
    lines.push(sentimentLine(turn, { call_id, revision: null, live, personal }));
    read = turn.position;
  }

  return {
    of: name,
    goesOn: (of) => of === null || of === name,
    lines,
    live_no,
    get read() {
      return read;
    },
    add(row, turns) {
      const { call_id } = row;
      let next = 0;
      const upTo = (position: number): void => {
        for (let turn = turns[next]; turn !== undefined && turn.position <= position; turn = turns[++next]) {
          addTurn(call_id, turn);
        }
      };
      for (const { position, ...alert } of row.alerts.slice(alerts)) {
        upTo(position);
        lines.push({ position, type: "alert", fields: { call_id, alert: ++alerts, ...alert } });
      }
      upTo(row.scored);
    },
  };
}

/** What there is now of a call that goes on, where `before` was said already. */
export async function readLive(
  live: Pick<LiveCalls, "turnsAfter">,
  row: LiveCallRow,
  from: { readonly before: LiveScript | null; readonly personal: boolean },
): Promise<LiveScript> {
  const known = from.before?.live_no === row.live_no;
  const script = known && from.before ? from.before : startScript(row, from.personal);
  const turns: LiveTurnRow[] = [];
  let after = script.read;
  while (after < row.scored) {
    const page = await live.turnsAfter(row.live_no, after, STEP);
    turns.push(...page.filter((turn) => turn.position <= row.scored));
    if (page.length < STEP) break;
    after = page.at(-1)?.position ?? row.scored;
  }
  script.add(row, turns);
  return script;
}
