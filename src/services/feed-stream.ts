/**
 * The feed: one message an event of the log, in order. Clients that may see the same and ask for the same make a
 * channel; what it sends is encoded once. A client that comes with `after` first gets what it missed from the log
 * (backfill) and joins its channel where that ends (cutover): no gap, no double.
 */
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import type { Scope } from "../core/call.ts";
import { AppError } from "../errors.ts";
import type { EventRow, Events, EventType } from "../ports/events.ts";
import type { Principal } from "./access.ts";
import type { LogFollower, LogStep } from "./log-follower.ts";
import { CLOSE, message } from "./stream-client.ts";
import type { Client, Connection, Message, Session } from "./stream-client.ts";
import type { StreamClients } from "./stream-clients.ts";

export interface FeedQuery {
  /** The last seq that the client has; null: from now on. */
  readonly after: number | null;
  readonly agent_id: string | null;
  readonly team: string | null;
  /** null: all. */
  readonly types: readonly EventType[] | null;
}

interface FeedDeps {
  readonly events: Events;
  readonly follower: LogFollower;
  readonly clients: StreamClients;
  /** The fields of a message beside type, seq and prev_seq. */
  readonly present: (event: EventRow) => Readonly<Record<string, unknown>>;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

interface Channel {
  readonly key: string;
  readonly scope: Scope;
  readonly agent_id: string | null;
  readonly types: ReadonlySet<EventType> | null;
  /** By the seq of the message before: the same for all as soon as they got one together. */
  cohorts: Map<number, Set<Subscriber>>;
}

interface Subscriber {
  readonly client: Client;
  readonly channel: Channel;
  /** Up to here it has all; while it catches up. */
  cursor: number;
  /** seq of the message before; while it catches up. */
  last: number;
}

const STEP = 500;
/** Messages of one write while a client catches up. */
const PARCEL = 50;
/** After so many clients others get a turn of the loop. */
const SLICE = 250;

/** What of the log a client is let read. @throws AppError forbidden */
function feedScope({ scope }: Principal, team: string | null): Scope {
  if (team === null || (scope.kind === "team" && scope.team === team)) return scope;
  if (scope.kind !== "all") throw new AppError("forbidden", "team: you may follow your own calls only");
  return { kind: "team", team };
}

export function createFeedStream(deps: FeedDeps) {
  const { events, follower, clients, present, onError } = deps;
  const channels = new Map<string, Channel>();
  /** Who is in a team only the store can tell: what the step under way holds for each team. */
  let ofTeams = new Map<string, readonly EventRow[]>();

  follower.listen({
    async prepare({ from, to }) {
      ofTeams = new Map();
      for (const { scope } of channels.values()) {
        if (scope.kind !== "team" || ofTeams.has(scope.team)) continue;
        const page = await events.after(from, to - from, scope);
        ofTeams.set(
          scope.team,
          page.events.filter((event) => event.seq <= to),
        );
      }
    },
    async take(step) {
      for (const deliver of [...channels.values()].map((channel) => route(channel, step))) await deliver();
    },
    lost(to, oldest) {
      for (const channel of channels.values()) {
        const members = [...channel.cohorts.values()].flatMap((cohort) => [...cohort]);
        channel.cohorts = new Map([[to, new Set(members)]]);
        const parcel = [resync(to, oldest)];
        for (const { client } of members) client.send(parcel);
      }
    },
  });

  /** Decides who gets what now, while nobody can join; the answer sends it. */
  function route(channel: Channel, step: LogStep): () => Promise<void> {
    const { scope } = channel;
    const seen = scope.kind === "team" ? ofTeams.get(scope.team) : step.events;
    if (seen === undefined) {
      // It was opened after the store was asked.
      const members = [...channel.cohorts].flatMap(([last, cohort]) => [...cohort].map((s) => ({ s, last })));
      channel.cohorts = new Map();
      for (const { s, last } of members) void catchUp(Object.assign(s, { cursor: step.from, last }));
      return async () => {};
    }
    const [first, ...more] = seen.filter((event) => fits(channel, event));
    if (first === undefined) return async () => {};
    let last = first.seq;
    const rest = more.map((event) => {
      const text = told(event, last);
      last = event.seq;
      return text;
    });
    const deliveries = [...channel.cohorts].map(([prev_seq, cohort]) => ({
      to: [...cohort],
      parcel: [told(first, prev_seq), ...rest],
    }));
    const [whole = new Set(), ...others] = [...channel.cohorts.values()].toSorted((a, b) => b.size - a.size);
    for (const cohort of others) for (const subscriber of cohort) whole.add(subscriber);
    channel.cohorts = new Map([[last, whole]]);
    return async () => {
      let sent = 0;
      for (const { to, parcel } of deliveries) {
        for (const { client } of to) {
          client.send(parcel);
          if (++sent % SLICE === 0) await turnOfTheLoop();
        }
      }
    };
  }

  function told(event: EventRow, prev_seq: number): Message {
    return message(event.type, event.seq, { prev_seq, ...present(event) });
  }

  function channelOf(scope: Scope, { agent_id, types }: FeedQuery): Channel {
    const kinds = types && [...new Set(types)].toSorted();
    const key = JSON.stringify([scope, agent_id, kinds]);
    return channels.get(key) ?? { key, scope, agent_id, types: kinds && new Set(kinds), cohorts: new Map() };
  }

  function join(subscriber: Subscriber): void {
    // The channel it was given may have lost all its clients meanwhile.
    const channel = channels.get(subscriber.channel.key) ?? subscriber.channel;
    channels.set(channel.key, channel);
    const cohort = channel.cohorts.get(subscriber.last) ?? new Set();
    channel.cohorts.set(subscriber.last, cohort.add(subscriber));
  }

  function leave(subscriber: Subscriber): void {
    const channel = channels.get(subscriber.channel.key);
    if (channel === undefined) return;
    for (const [last, cohort] of channel.cohorts) {
      if (cohort.delete(subscriber) && cohort.size === 0) channel.cohorts.delete(last);
    }
    if (channel.cohorts.size === 0) channels.delete(channel.key);
  }

  async function begin(subscriber: Subscriber, after: number | null): Promise<void> {
    const { client } = subscriber;
    try {
      const position = await follower.enter();
      subscriber.cursor = after ?? position;
      subscriber.last = subscriber.cursor;
      const head = Math.max(position, await events.head());
      const timestamp = new Date(deps.now()).toISOString();
      client.send([message("hello", subscriber.cursor, { head, timestamp })]);
    } catch (error) {
      onError(error);
      client.close(CLOSE.internal, "The log cannot be read at the moment");
    }
    await catchUp(subscriber);
  }

  /** Reads the log from where the subscriber stands to where the channels stand, and lets it join there. */
  async function catchUp(subscriber: Subscriber): Promise<void> {
    const { client, channel } = subscriber;
    try {
      while (!client.closed) {
        const to = follower.position();
        if (subscriber.cursor === to) return join(subscriber);
        // Another process, where it was before, may be ahead of this one.
        if (subscriber.cursor > to && subscriber.cursor <= (await events.head())) await follower.catchUp();
        else if (subscriber.cursor !== follower.position()) await backfill(subscriber, channel);
      }
    } catch (error) {
      onError(error);
      client.close(CLOSE.internal, "The log cannot be read at the moment");
    }
  }

  async function backfill(subscriber: Subscriber, channel: Channel): Promise<void> {
    const { client, cursor } = subscriber;
    const page = await events.after(cursor, STEP, channel.scope);
    const to = follower.position();
    // From 0 on means all there is: only a later start can have missed something.
    if ((cursor > 0 && page.oldest > cursor + 1) || cursor > page.head) {
      client.send([resync(to, page.oldest)]);
      subscriber.cursor = to;
      subscriber.last = to;
      return;
    }
    const reached = page.events.length < STEP ? page.head : (page.events.at(-1)?.seq ?? page.head);
    // What comes later than where the channels stand is theirs to send.
    const end = Math.min(reached, Math.max(to, cursor));
    const wanted = page.events.filter((event) => event.seq <= end && fits(channel, event));
    for (let i = 0; i < wanted.length && !client.closed; i += PARCEL) {
      await client.room();
      const parcel = wanted.slice(i, i + PARCEL).map((event) => {
        const text = told(event, subscriber.last);
        subscriber.last = event.seq;
        return text;
      });
      client.send(parcel);
    }
    subscriber.cursor = end;
  }

  return {
    /** Hello, what was missed, then each event as it happens. @throws AppError forbidden */
    open(connection: Connection, principal: Principal, query: FeedQuery): Session | null {
      const scope = feedScope(principal, query.team);
      const client = clients.admit(connection, principal);
      if (client === null) return null;
      const subscriber: Subscriber = { client, channel: channelOf(scope, query), cursor: 0, last: 0 };
      void begin(subscriber, query.after);
      return {
        // Nothing is expected here; what comes is counted and let go.
        receive: () => void client.mayReceive(deps.now()),
        ended() {
          clients.drop(client);
          leave(subscriber);
          follower.leave();
        },
      };
    },
  };
}

function fits(channel: Channel, event: EventRow): boolean {
  const { scope, agent_id, types } = channel;
  if (scope.kind === "agent" && event.agent_id !== scope.agent_id) return false;
  return (agent_id === null || event.agent_id === agent_id) && (types === null || types.has(event.type));
}

function resync(seq: number, oldest: number): Message {
  return message("resync_required", seq, { oldest });
}
