/**
 * Phrase templates: `[a|b|]` is one of the alternatives (they nest, and may be empty), `{name}` a slot of the call.
 * Decks hand every template of a list out once before any comes again, over all calls.
 */
import type { Random } from "./random.ts";

export type Slots = Readonly<Record<string, string>>;

/** Expands a template; throws on an unknown slot or unbalanced brackets. */
export function expand(template: string, slots: Slots, rng: Random): string {
  const { text, end } = sequence(template, 0, slots, rng, false);
  if (end !== template.length) throw new Error(`unbalanced template: ${template}`);
  return tidy(text);
}

function sequence(t: string, from: number, slots: Slots, rng: Random, nested: boolean): { text: string; end: number } {
  const options: string[] = [];
  let text = "";
  let i = from;
  while (i < t.length) {
    const c = t[i] as string;
    if (c === "[") {
      const inner = sequence(t, i + 1, slots, rng, true);
      if (t[inner.end] !== "]") throw new Error(`unbalanced template: ${t}`);
      text += inner.text;
      i = inner.end + 1;
    } else if (c === "{") {
      const close = t.indexOf("}", i);
      const name = t.slice(i + 1, close);
      const value = slots[name];
      if (value === undefined) throw new Error(`unknown slot {${name}} in: ${t}`);
      text += value;
      i = close + 1;
    } else if (nested && c === "|") {
      options.push(text);
      text = "";
      i++;
    } else if (c === "]") {
      break;
    } else {
      text += c;
      i++;
    }
  }
  if (nested) text = rng.pick([...options, text]);
  return { text, end: i };
}

/** Spaces and sentence capitals after empty alternatives. */
export function tidy(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/\bthe the\b/gi, "the")
    .replace(/ ([,.!?;])/g, "$1")
    .replace(/,\s*,/g, ",")
    .trim()
    .replace(/(^|[.!?] )([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}

/** Deals templates from shuffled lists; lists are known by identity. */
export interface Decks {
  /** The next template of the list that is not in `used`; marks it used. Null when the call has used them all. */
  deal(list: readonly string[], used: Set<string>): string | null;
}

export function decks(rng: Random): Decks {
  const piles = new Map<readonly string[], string[]>();
  return {
    deal(list, used) {
      let pile = piles.get(list);
      for (let round = 0; round < 2; round++) {
        if (pile === undefined || pile.length === 0) {
          pile = rng.shuffle(list);
          piles.set(list, pile);
        }
        const at = pile.findIndex((template) => !used.has(template));
        if (at >= 0) {
          const [template] = pile.splice(at, 1);
          used.add(template as string);
          return template as string;
        }
        pile = undefined;
      }
      return null;
    },
  };
}
