/**
 * The sentiment of one call, turn by turn. Those who may see the same of a call are an audience: the call is read once
 * for all of them, and each line encoded once. Every client has a position of its own and is taken to the end from there.
 */
import type { Scope } from "../core/call.ts";
import type { CallReads } from "../ports/calls.ts";
import type { Principal } from "./access.ts";
import { isId } from "./accept.ts";
import type { LogFollower } from "./log-follower.ts";
import { linesOf } from "./sentiment-lines.ts";
import type { Line, Script } from "./sentiment-lines.ts";
import { CLOSE, message } from "./stream-client.ts";
import type { Client, Connection, Message, Session } from "./stream-client.ts";
import type { StreamClients } from "./stream-clients.ts";

interface SentimentDeps {
  readonly reads: Pick<CallReads, "get">;
  readonly follower: LogFollower;
  readonly clients: StreamClients;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

export interface SentimentQuery {
  readonly call_id: string;
  /** The last position that the client has; null: from the first on. */
  readonly after: number | null;
}

interface Audience {
  readonly key: string;
  readonly call_id: string;
  readonly scope: Scope;
  readonly personal: boolean;
  readonly members: Set<Member>;
  script: Script | null;
  /** Lines as they were sent, by position. */
  encoded: Map<number, Message>;
  /** Of enrichment; empty until the call was read. */
  state: string;
  turns: number;
  reading: boolean;
  again: boolean;
}

interface Member {
  readonly client: Client;
  /** null until it was greeted. */
  version: string | null;
  /** Position of the line before. */
  last: number;
  sending: boolean;
}

/** Lines of one write. */
const PARCEL = 50;

export function createSentimentStream(deps: SentimentDeps) {
  const { reads, follower, clients, now, onError } = deps;
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
    const unread = { script: null, encoded: new Map(), state: "", turns: 0, reading: false, again: false };
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
        const call = await reads.get(audience.call_id, audience.scope);
        if (call === null) {
          for (const { client } of audience.members) client.close(CLOSE.unknown_call, "Call record not found");
          return;
        }
        audience.state = call.row.state;
        audience.turns = call.turns.length;
        use(audience, linesOf(call, audience.personal));
        for (const member of audience.members) void send(audience, member);
      } while (audience.again);
    } catch (error) {
      onError(error);
      for (const { client } of audience.members) client.close(CLOSE.internal, "The call cannot be read at the moment");
    } finally {
      audience.reading = false;
    }
  }

  /** A call that waits for a new enrichment keeps what it has said so far. */
  function use(audience: Audience, script: Script | null): void {
    if (script === null || script.version === audience.script?.version) return;
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
        if (member.version !== script.version) adopt(member, script);
        const next = script.lines.findLastIndex((line) => line.position <= member.last) + 1;
        if (next === script.lines.length) break;
        await client.room();
        // It may be another call by now.
        if (audience.script !== script) continue;
        const lines = script.lines.slice(next, next + PARCEL);
        client.send(lines.map((line) => encoded(audience, member, line)));
      }
    } finally {
      member.sending = false;
    }
  }

  function greet(audience: Audience, member: Member): void {
    if (member.version !== null) return;
    member.version = "";
    const { call_id, state, turns } = audience;
    tell(member, "hello", member.last, {
      call_id,
      message: `Connected to the sentiment stream of call ${call_id}`,
      state,
      turns,
    });
  }

  /** What the member has is of another text or another enrichment, or is more than there is: all from the first on. */
  function adopt(member: Member, script: Script): void {
    const first = member.version === "";
    member.version = script.version;
    const end = script.lines.at(-1)?.position ?? 0;
    if (first ? member.last <= end : member.last === 0) return;
    member.last = 0;
    tell(member, "resync_required", 0, {});
  }

  function tell({ client }: Member, type: string, seq: number, fields: Readonly<Record<string, unknown>>): void {
    client.send([message(type, seq, { ...fields, timestamp: new Date(now()).toISOString() })]);
  }

  /** Encoded once for all whose line before is the same, which is nearly everybody. */
  function encoded(audience: Audience, member: Member, line: Line): Message {
    const prev_seq = member.last;
    member.last = line.position;
    const usual = prev_seq === line.position - 1;
    const known = usual ? audience.encoded.get(line.position) : undefined;
    if (known) return known;
    const timestamp = new Date(now()).toISOString();
    const made = message(line.type, line.position, { prev_seq, ...line.fields, timestamp });
    if (usual) audience.encoded.set(line.position, made);
    return made;
  }

  return {
    /**
     * Hello with the position it starts from, then one message a turn in order, then `complete`. A call that waits
     * for enrichment is sent once it has it; one that was changed after `resync_required`, from the first turn on. The
     * stream stays open until the client leaves; a call that is unknown, out of scope or deleted closes it with 4404.
     */
    open(connection: Connection, principal: Principal, { call_id, after }: SentimentQuery): Session | null {
      const client = clients.admit(connection, principal);
      if (client === null) return null;
      const audience = audienceOf(call_id, principal);
      const member: Member = { client, version: null, last: after ?? 0, sending: false };
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
      return isId(call_id) && (await reads.get(call_id, principal.scope)) !== null;
    },
  };
}
