/** The scenes of a sales call, played by agents according to their skill. */
import { AGENT } from "./phrases-agent.ts";
import { CLOSING } from "./phrases-closing.ts";
import { CUSTOMER } from "./phrases-customer.ts";
import { OBJECTIONS } from "./phrases-objections.ts";
import { OPENING } from "./phrases-opening.ts";
import { join, type Stage } from "./stage.ts";

/** A customer's fact; who is asked well tells more of it, and lets the mood show. */
function fact(s: Stage, text: string, more = ""): void {
  const tint = s.rng.chance(0.25 + 0.5 * Math.abs(s.mood())) ? s.moody(CUSTOMER.tint) : "";
  s.customer(text, more, tint);
}

/** What careless agents add when they should stop: features nobody asked for. */
function ramble(s: Stage): string {
  const { topic } = s.plan.account;
  const parts: string[] = [];
  while (parts.length < 4 && s.rng.chance(0.95 * (1 - s.plan.skill) ** 1.3)) {
    const more = s.phrase(s.rng.pick([topic.features, topic.proofs, ...topic.pains.map((p) => p.answer)]));
    parts.push(join(parts.length > 0 || s.rng.chance(0.4) ? s.phrase(AGENT.pitch_weak) : "", more));
  }
  return parts.join(" ");
}

/** A question or an objection of the customer. */
function raise(s: Stage, text: string): void {
  s.customer(text, s.rng.chance(Math.max(0, -0.6 * s.mood())) ? s.moody(CUSTOMER.tail) : "");
}

/** A customer's reaction; a second sentence comes more easily to those who feel heard. */
export function react(s: Stage): void {
  const own = s.plan.account.topic;
  const mood = s.mood();
  const roll = s.rng.next();
  const chatty = 0.35 + 0.5 * s.plan.skill;
  const tail =
    mood > 0.35 && roll < chatty / 2
      ? s.phrase(own.pleased)
      : mood < -0.4 && roll < chatty / 2
        ? s.phrase(own.displeased)
        : roll < chatty
          ? s.moody(CUSTOMER.tail)
          : "";
  s.customer(s.moody(CUSTOMER.react), tail);
}

export function greet(s: Stage): void {
  const { scenario, skill } = s.plan;
  s.agent(s.phrase(scenario === "cold" ? OPENING.agent_hello.cold : OPENING.agent_hello.expected));
  s.customer(s.moody(OPENING.customer_hello));
  if (scenario !== "cold" && s.rng.chance(0.4)) {
    s.agent(s.phrase(OPENING.smalltalk.agent));
    s.customer(s.moody(OPENING.smalltalk.customer));
  }
  if (scenario === "follow_up") {
    s.agent(s.phrase(OPENING.followup));
    s.customer(s.moody(OPENING.followup_reply));
  } else if (scenario === "renewal") {
    s.agent(s.phrase(OPENING.renewal));
    s.customer(s.moody(OPENING.renewal_reply));
    if (s.rng.chance(skill)) s.agent(s.phrase(s.mood() < -0.2 ? AGENT.empathy : AGENT.ack), s.phrase(AGENT.invite));
    else s.agent(s.phrase(AGENT.ack_weak), s.phrase(s.plan.account.topic.features));
    react(s);
  } else if (scenario === "cold" && s.rng.chance(0.5 + 0.5 * skill)) {
    s.agent(s.phrase(OPENING.cold_reason));
    s.customer(s.moody(OPENING.cold_reply));
  } else {
    const skilled = s.rng.chance(skill);
    s.agent(s.phrase(skilled ? OPENING.agenda_skilled : OPENING.agenda_weak), skilled ? "" : ramble(s));
    s.customer(s.moody(OPENING.agenda_reply));
  }
}

/** Finding out what the customer needs: open questions that lead to pains, or a few closed ones. */
export function discover(s: Stage): void {
  const { skill, depth, account } = s.plan;
  const { topic } = account;
  const told = new Set<string>();
  const rounds = Math.round(1 + skill * (2 + 4 * depth));
  const wanted = new Set(account.pains.map((p) => `p${p}`));
  for (let i = 0; i < rounds; i++) {
    if (!s.rng.chance(0.1 + 0.9 * skill)) {
      s.agent(s.rng.chance(0.5) ? s.phrase(AGENT.ack_weak) : "", s.phrase(topic.closed_questions));
      s.customer(s.moody(CUSTOMER.closed_answer));
      continue;
    }
    const answers = topic.links
      .flatMap((keys, question) => keys.map((key) => ({ question, key })))
      .filter(({ question, key }) => !told.has(key) && !told.has(`q${question}`));
    const best = answers.filter(({ key }) => wanted.has(key));
    if (answers.length === 0) break;
    const { question, key } = s.rng.pick(best.length > 0 && s.rng.chance(0.6) ? best : answers);
    told.add(key).add(`q${question}`);
    s.agent(
      i > 0 && s.rng.chance(0.45) ? s.phrase(AGENT.empathy) : "",
      s.phrase([topic.open_questions[question] as string]),
    );
    s.open_questions++;
    const index = Number(key.slice(1));
    if (key.startsWith("s")) {
      // An open question gets a longer answer.
      const more = answers.find((a) => a.key.startsWith("s") && a.key !== key && !told.has(a.key));
      const also = more !== undefined && s.rng.chance(0.75 * skill);
      if (also) told.add(more.key);
      fact(
        s,
        s.phrase([topic.situations[index] as string]),
        also ? s.phrase([topic.situations[Number(more.key.slice(1))] as string]) : "",
      );
    } else {
      pain(s, index, s.rng.chance(0.25 + 0.6 * skill));
    }
  }
  // A customer whom nobody asks says it anyway, once.
  const [main] = account.pains;
  if (!told.has(`p${main}`)) pain(s, main, s.rng.chance(skill));
}

function pain(s: Stage, index: number, probed: boolean): void {
  const pain = s.plan.account.topic.pains[index];
  if (pain === undefined) return;
  fact(s, s.phrase(pain.said), probed ? s.phrase(pain.said) : "");
  if (!probed) return;
  s.agent(s.rng.chance(0.5) ? s.phrase(AGENT.empathy) : "", s.phrase(AGENT.probe));
  s.open_questions++;
  fact(s, s.phrase(pain.cost), s.rng.chance(s.plan.skill) ? s.phrase(pain.cost) : "");
}

/** Skilled: the answer to the pain, then a check. Weak: feature after feature. */
export function pitch(s: Stage): void {
  const { skill, account, depth } = s.plan;
  const { topic } = account;
  if (s.rng.chance(skill)) {
    const heard = s.open_questions > 0 || s.plan.scenario === "follow_up";
    for (const [turn, index] of account.pains.slice(0, depth > 0.45 ? 2 : 1).entries()) {
      const pain = topic.pains[index];
      if (pain === undefined) continue;
      s.agent(
        heard && turn === 0 ? s.phrase(AGENT.bridge) : "",
        s.phrase(pain.answer),
        s.rng.chance(0.25) ? s.phrase(topic.proofs) : "",
        s.phrase(AGENT.check),
      );
      react(s);
    }
    return;
  }
  const parts: string[] = [];
  const length = s.rng.int(3, 4 + Math.round(3 * (1 - skill)));
  for (let i = 0; i < length; i++) {
    parts.push(i > 0 && s.rng.chance(0.6) ? s.phrase(AGENT.pitch_weak) : "", s.phrase(topic.features));
  }
  if (length > 3) s.monologues++;
  s.agent(...parts, s.phrase(AGENT.check_weak));
  react(s);
}

export function customerQuestions(s: Stage): void {
  const { skill, depth, account } = s.plan;
  const questions = s.rng.shuffle(account.topic.questions).slice(0, Math.round(depth * 2.6));
  for (const { ask, answer } of questions) {
    raise(s, join(s.rng.chance(0.55 * skill) ? s.phrase(account.topic.situations) : "", s.phrase([ask])));
    if (s.rng.chance(0.2 + 0.8 * skill))
      s.agent(s.phrase(AGENT.answer_lead), s.phrase(answer), s.rng.chance(skill * 0.5) ? s.phrase(AGENT.check) : "");
    else s.agent(s.phrase(AGENT.answer_weak), ramble(s));
    react(s);
  }
}

export function quote(s: Stage, early: boolean): void {
  const wait = s.rng.chance(0.25) ? s.phrase(AGENT.wait) : "";
  s.agent(wait, s.phrase(early ? AGENT.price_early : AGENT.price_value), early ? ramble(s) : "");
  s.customer(s.moody(CUSTOMER.price_reply), s.rng.chance(0.35) ? s.moody(CUSTOMER.tail) : "");
}

export function object(s: Stage): void {
  for (const { kind, answered } of s.plan.objections) {
    const lines = OBJECTIONS[kind];
    raise(s, s.phrase(lines.raise));
    if (answered) {
      s.agent(s.rng.chance(0.3) ? s.phrase(AGENT.ack) : "", s.phrase(lines.good));
      s.shift(0.05);
      s.customer(s.moody(CUSTOMER.settled), s.rng.chance(0.5) ? s.moody(CUSTOMER.tail) : "");
    } else {
      s.agent(s.phrase(lines.weak), ramble(s));
      s.shift(-0.05);
      s.customer(s.moody(CUSTOMER.unsettled), s.rng.chance(0.4) ? s.moody(CUSTOMER.tail) : "");
    }
  }
}

/** Whether the agent summed up. */
export function summarise(s: Stage): boolean {
  if (!s.rng.chance(s.plan.skill - 0.12)) return false;
  s.agent(s.phrase(AGENT.summary));
  s.customer(s.moody(CUSTOMER.confirm));
  return true;
}

export function close(s: Stage): void {
  s.closing = true;
  const { outcome, next_step, mood } = s.plan;
  if (outcome === "won") {
    s.customer(s.moody(CLOSING.won), s.rng.chance(Math.abs(mood.end)) ? s.moody(CUSTOMER.tail) : "");
    if (next_step) {
      s.agent(s.phrase(CLOSING.agree_step));
      s.customer(s.moody(CLOSING.accept_step));
    }
  } else if (outcome === "lost") {
    s.customer(s.moody(CLOSING.lost));
  } else {
    s.customer(s.moody(CLOSING.open));
    s.agent(s.phrase(next_step ? CLOSING.agree_step : CLOSING.no_step));
    s.customer(s.moody(next_step ? CLOSING.accept_step : CLOSING.no_step_reply));
  }
  s.agent(s.phrase(CLOSING.agent_thanks[outcome]));
  if (s.rng.chance(0.85)) s.customer(s.moody(CLOSING.bye));
}
