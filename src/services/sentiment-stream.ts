/**
 * The sentiment of one call, turn by turn. Those who may see the same of a call are an audience: the call is read once
 * for all of them, and each line encoded once. Every client has a position of its own and is taken to the end from there.
 */
import type { Scope } from "../core/call.ts";
import type { CallReads } from "../ports/calls.ts";
import type { LiveCalls } from "../ports/live-calls.ts";
import type { Principal } from "./access.ts";
import { isId } from "./accept.ts";
import type { LogFollower } from "./log-follower.ts";
import { endOf, linesOf } from "./sentiment-lines.ts";
import type { Line, Script } from "./sentiment-lines.ts";
import { readLive } from "./sentiment-live.ts";
import type { LiveScript } from "./sentiment-live.ts";
import { CLOSE, message } from "./stream-client.ts";
import type { Client, Connection, Message, Session } from "./stream-client.ts";
import type { StreamClients } from "./stream-clients.ts";

interface SentimentDeps {
  readonly reads: Pick<CallReads, "get">;
  readonly live: Pick<LiveCalls, "row" | "turnsAfter">;
  /** Weight of the customer's newest turn in the live sentiment. */
  readonly alpha: number;
  readonly follower: LogFollower;
  readonly clients: StreamClients;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

export interface SentimentQuery {
  readonly call_id: string;
  /** The last position that the client has; null: from the first on. */
  readonly after: number | null;
  /** What that position is of, as the message with it said; null: it is not known. */
  readonly of: string | null;
}

interface Audience {
  readonly key: string;
  readonly call_id: string;
  readonly scope: Scope;
  readonly personal: boolean;
  readonly members: Set<Member>;
  script: Script | null;
  /** The script while the call goes on. */
  live: LiveScript | null;
  /** Lines as they were sent first, by their place in the script, and the position before. */
  encoded: Map<number, { readonly prev_seq: number; readonly message: Message }>;
  /** `live`, or of enrichment; empty until the call was read. */
  state: string;
  turns: number;
  reading: boolean;
  again: boolean;
}

interface Member {
  readonly client: Client;
  greeted: boolean;
  /** What it gets lines of; null until it gets some. */
  script: Script | null;
  /** What its position is of. */
  of: string | null;
  /** Position of the line before. */
  last: number;
  /** Place of the next line in the script. */
  next: number;
  sending: boolean;
}

interface Found extends Pick<Audience, "state" | "turns" | "script"> {}

/** Lines of one write. */
const PARCEL = 50;

export function createSentimentStream(deps: SentimentDeps) {
  const { reads, live, alpha, follower, clients, now, onError } = deps;
  const audiences = new Map<string, Audience>();
  const ofCalls = new Map<string, Set<Audience>>();

  follower.listen({
    take({ events }) {
      const touched = new Set<Audience>();
      for (const { call_id } of events) for (const audience of ofCalls.get(call_id) ?? []) touched.add(audience);
      for (const audience of touched) void read(audience);
    },
    lost() {
      for (const audience of audiences.values()) void read(audience);
    },
  });

  function audienceOf(call_id: string, { scope, personal }: Principal): Audience {
    const key = JSON.stringify([call_id, scope, personal]);
    const known = audiences.get(key);
    if (known) return known;
    const unread = { script: null, live: null, encoded: new Map(), state: "", turns: 0, reading: false, again: false };
    const audience: Audience = { key, call_id, scope, personal, members: new Set(), ...unread };
    audiences.set(key, audience);
    ofCalls.set(call_id, (ofCalls.get(call_id) ?? new Set()).add(audience));
    return audience;
  }

  function leave(audience: Audience, member: Member): void {
    audience.members.delete(member);
    if (audience.members.size > 0) return;
    audiences.delete(audience.key);
    const group = ofCalls.get(audience.call_id);
    group?.delete(audience);
    if (group?.size === 0) ofCalls.delete(audience.call_id);
  }

  /** Reads the call, and again where it changed meanwhile, and takes every member to its end. */
  async function read(audience: Audience): Promise<void> {
    if (audience.reading) {
      audience.again = true;
      return;
    }
    audience.reading = true;
    try {
      do {
        audience.again = false;
        const found = (await readGoingOn(audience)) ?? (await readStored(audience));
        if (found === null) return end(audience, CLOSE.unknown_call, "Call record not found");
        Object.assign(audience, { state: found.state, turns: found.turns });
        use(audience, found.script);
        for (const member of audience.members) void send(audience, member);
      } while (audience.again);
    } catch (error) {
      onError(error);
      end(audience, CLOSE.internal, "The call cannot be read at the moment");
    } finally {
      audience.reading = false;
    }
  }

  /** Who comes while these leave gets nothing of what was known of the call. */
  function end(audience: Audience, code: number, reason: string): void {
    Object.assign(audience, { script: null, live: null, encoded: new Map(), state: "" });
    for (const { client } of audience.members) client.close(code, reason);
  }

  async function readGoingOn(audience: Audience): Promise<Found | null> {
    const row = await live.row(audience.call_id, audience.scope);
    const { personal, live: before } = audience;
    audience.live = row && (await readLive(live, row, { before, personal }));
    return row && { state: "live", turns: row.turns, script: audience.live };
  }

  async function readStored({ call_id, scope, personal }: Audience): Promise<Found | null> {
    const call = await reads.get(call_id, scope);
    return call && { state: call.row.state, turns: call.turns.length, script: linesOf(call, personal, alpha) };
  }

  /** A call that waits for enrichment keeps what it has said so far. */
  function use(audience: Audience, script: Script | null): void {
    if (script === null || script.of === audience.script?.of) return;
    audience.script = script;
    audience.encoded = new Map();
  }

  async function send(audience: Audience, member: Member): Promise<void> {
    if (member.sending) return;
    member.sending = true;
    const { client } = member;
    try {
      greet(audience, member);
      while (!client.closed) {
        const { script } = audience;
        if (script === null) break;
        if (member.script !== script) adopt(member, script);
        if (member.next >= script.lines.length) break;
        await client.room();
        // It may be another call by now.
        if (audience.script !== script) continue;
        const parcel: Message[] = [];
        while (member.next < script.lines.length && parcel.length < PARCEL) {
          const line = script.lines[member.next++];
          if (line) parcel.push(encoded(audience, member, line));
        }
        if (parcel.length > 0) client.send(parcel);
      }
    } finally {
      member.sending = false;
    }
  }

  function greet(audience: Audience, member: Member): void {
    if (member.greeted) return;
    member.greeted = true;
    const { call_id, state, turns } = audience;
    const welcome = `Connected to the sentiment stream of call ${call_id}`;
    // With what it has until now: whether it may go on from there is told next.
    tell(member, "hello", { call_id, message: welcome, state, turns });
  }

  /** Where what the member has is of another text or enrichment, or more than there is: all from the first on. */
  function adopt(member: Member, script: Script): void {
    const goesOn = member.last === 0 || (member.last <= endOf(script) && script.goesOn(member.of));
    if (!goesOn) member.last = 0;
    const { last } = member;
    // Of alerts it is not known which of those after this position it has; better one twice than never.
    const isNext = (line: Line | null): boolean =>
      line !== null && (line.position > last || (line.type === "alert" && line.position === last));
    const next = last === 0 ? 0 : script.lines.findIndex(isNext);
    member.next = next === -1 ? script.lines.length : next;
    member.script = script;
    member.of = script.of;
    if (!goesOn) tell(member, "resync_required", {});
  }

  function tell({ client, last, of }: Member, type: string, fields: Readonly<Record<string, unknown>>): void {
    client.send([message(type, last, { ...fields, timestamp: new Date(now()).toISOString() }, of)]);
  }

  /** Encoded once for all whose line before is the same, which is nearly everybody. */
  function encoded(audience: Audience, member: Member, line: Line): Message {
    const prev_seq = member.last;
    const { of, next } = member;
    member.last = line.position;
    const known = audience.encoded.get(next);
    if (known?.prev_seq === prev_seq) return known.message;
    const timestamp = new Date(now()).toISOString();
    const made = message(line.type, line.position, { prev_seq, ...line.fields, timestamp }, of);
    if (!known) audience.encoded.set(next, { prev_seq, message: made });
    return made;
  }

  return {
    /**
     * Hello with the position it starts from, then one message a turn in order, then `complete`. A call that goes on
     * is sent as its turns get their sentiment, with its alerts; one that waits for enrichment once it has it; one that
     * was changed after `resync_required`, from the first turn on. The stream stays open until the client leaves; a
     * call that is unknown, out of scope or deleted closes it with 4404.
     */
    open(connection: Connection, principal: Principal, { call_id, after, of }: SentimentQuery): Session | null {
      const client = clients.admit(connection, principal);
      if (client === null) return null;
      const audience = audienceOf(call_id, principal);
      const member: Member = { client, greeted: false, script: null, of, last: after ?? 0, next: 0, sending: false };
      audience.members.add(member);
      const start = async (): Promise<void> => {
        // What changes after this is told, so that the read can miss nothing.
        await follower.enter();
        // The log keeps an audience that was read up to date.
        if (audience.state === "") await read(audience);
        else await send(audience, member);
      };
      if (!isId(call_id)) client.close(CLOSE.unknown_call, "Call record not found");
      start().catch((error: unknown) => {
        onError(error);
        client.close(CLOSE.internal, "The call cannot be read at the moment");
      });
      return {
        // Nothing is expected here; what comes is counted and let go.
        receive: () => void client.mayReceive(now()),
        ended() {
          clients.drop(client);
          leave(audience, member);
          follower.leave();
        },
      };
    },
    /** Whether the call may be followed: a transport that can refuse before it answers asks first. */
    async knows(principal: Principal, call_id: string): Promise<boolean> {
      if (!isId(call_id)) return false;
      return (
        (await live.row(call_id, principal.scope)) !== null || (await reads.get(call_id, principal.scope)) !== null
      );
    },
  };
}
