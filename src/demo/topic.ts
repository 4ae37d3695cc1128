/** What a product line gives a conversation to talk about. All strings are templates (grammar.ts). */
export interface Topic {
  readonly id: string;
  readonly product: string;
  /** What is counted, plural: "vans". Slots {count} and {unit}. */
  readonly unit: string;
  readonly counts: readonly [number, number];
  /** Dollars per unit and month, and how it is said. Slots {price} and {per}. */
  readonly price: readonly [number, number];
  readonly per: string;
  readonly competitors: readonly string[];
  /** What it must work with. Slot {system}. */
  readonly systems: readonly string[];
  readonly industries: readonly string[];
  readonly open_questions: readonly string[];
  /** For each open question what may answer it: s = situation, p = pain, by index. */
  readonly links: readonly (readonly string[])[];
  readonly closed_questions: readonly string[];
  /** Customer: how things are today. */
  readonly situations: readonly string[];
  /** A problem, what it costs, and what the product does about it. */
  readonly pains: readonly {
    readonly short: string;
    readonly said: readonly string[];
    readonly cost: readonly string[];
    readonly answer: readonly string[];
  }[];
  /** Agent: features, for pitches and monologues. */
  readonly features: readonly string[];
  readonly proofs: readonly string[];
  /** Customer's questions, each with answers. */
  readonly questions: readonly { readonly ask: string; readonly answer: readonly string[] }[];
  readonly pleased: readonly string[];
  readonly displeased: readonly string[];
}
