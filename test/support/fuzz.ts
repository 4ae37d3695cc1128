/** Requests made up from the OpenAPI document: nearly right ones, and everything that a client should not send. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";

type Schema = Readonly<Record<string, unknown>>;

export interface FuzzOperation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  /** Content type -> schema. */
  readonly bodies: Readonly<Record<string, Schema>>;
}

export interface FuzzRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  /** What is odd about it, for a message. */
  readonly note: string;
}

interface Document {
  readonly paths: object;
  readonly components: { readonly schemas: object };
}

export function operationsOf(document: Document): FuzzOperation[] {
  const paths = document.paths as Record<string, Record<string, Schema>>;
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const content = (operation["requestBody"] as { content?: Record<string, { schema: Schema }> } | undefined)
        ?.content;
      return {
        method: method.toUpperCase(),
        path,
        parameters: (operation["parameters"] ?? []) as FuzzOperation["parameters"],
        bodies: Object.fromEntries(Object.entries(content ?? {}).map(([type, { schema }]) => [type, schema])),
      };
    }),
  );
}

const LONE = "\ud800";
const deep = (open: string, close: string, n: number) => open.repeat(n) + close.repeat(n);

/** Values that have broken programs before, as JSON text. */
const NASTY = [
  "null",
  "true",
  "-1",
  "0",
  "1e9",
  "1e308",
  "-1e400",
  "9007199254740993",
  "0.1",
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"\\ud83d"',
  '"__proto__"',
  '"constructor"',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"toString":1,"hasOwnProperty":null,"length":-1}',
  "[]",
  "[[[[[]]]]]",
  "{}",
  '[null,null,{"a":[]}]',
  '"2026-02-30T25:61:00Z"',
  '"=cmd()"',
  `"${"x".repeat(3_000)}"`,
  '"\\u202e\\ufeff\\u2028"',
  '"\'; DROP TABLE calls; --"',
  '"../../etc/passwd"',
  '"%00%ff"',
  deep("[", "]", 500),
  deep('{"a":', "}", 300).replace("}", "1}"),
];
const nasty = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.jsonValue().map((value) => JSON.stringify(value)),
);

/** Parameters: raw, already percent-encoded. */
const NASTY_RAW = [
  "",
  "%00",
  "%",
  "%ED%A0%80",
  "%FF%FE",
  "1e9",
  "-1",
  "99999999999999999999",
  "NaN",
  "null",
  "true",
  "..%2f..%2f",
  "%2e%2e",
  "a,b,c",
  "%F0%9F%92%A9",
  "a".repeat(3_000),
  "1;2",
  "-start_time,-start_time",
  "call_id",
  "%27%20OR%201%3D1",
  "__proto__",
  "2026-13-45",
  "+",
  "%20",
  "[object%20Object]",
];
const nastyRaw = fc.oneof(
  fc.constantFrom(...NASTY_RAW),
  fc.string({ unit: "binary", maxLength: 60 }).map((s) => encodeURIComponent(s.toWellFormed())),
  fc.double().map(String),
);

/** JSON text that fits the schema, or nearly. */
function textOf(schema: Schema, schemas: Readonly<Record<string, Schema>>, depth = 0): fc.Arbitrary<string> {
  const ref = schema["$ref"];
  if (typeof ref === "string") return textOf(schemas[ref.split("/").at(-1) ?? ""] ?? {}, schemas, depth);
  const any = schema["anyOf"];
  if (Array.isArray(any)) return fc.oneof(...any.map((s: Schema) => textOf(s, schemas, depth)));
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...schema["enum"].map((value) => JSON.stringify(value)));
  const number = (name: string, fallback: number) => (typeof schema[name] === "number" ? schema[name] : fallback);
  switch (schema["type"]) {
    case "string": {
      if (schema["format"] === "date-time") return fc.date({ noInvalidDate: true }).map((d) => JSON.stringify(d));
      const maxLength = Math.min(200, number("maxLength", 60));
      const unit = fc.constantFrom("grapheme" as const, "binary" as const, "grapheme-ascii" as const);
      const words = unit.chain((u) => fc.string({ unit: u, minLength: number("minLength", 0), maxLength }));
      return fc
        .oneof(
          words,
          fc.lorem({ maxCount: 12 }).map((w) => `Customer: ${w}\nAgent: ${w}`),
        )
        .map((s) => JSON.stringify(s));
    }
    case "integer":
      return fc
        .integer({ min: number("minimum", -10), max: Math.min(1_000_000, number("maximum", 100_000)) })
        .map(String);
    case "number":
      return fc
        .double({ min: number("minimum", -10), max: number("maximum", 1_000_000), noNaN: true })
        .map((x) => JSON.stringify(x));
    case "boolean":
      return fc.constantFrom("true", "false");
    case "null":
      return fc.constant("null");
    case "array":
      return fc
        .array(field((schema["items"] ?? {}) as Schema, schemas, depth + 1), { maxLength: depth > 2 ? 1 : 4 })
        .map((a) => `[${a.join(",")}]`);
    case "object":
      return objectText(schema, schemas, depth);
    default:
      return nasty;
  }
}

/** Mostly right, sometimes anything. */
function field(schema: Schema, schemas: Readonly<Record<string, Schema>>, depth: number): fc.Arbitrary<string> {
  return fc.oneof({ weight: 9, arbitrary: textOf(schema, schemas, depth) }, { weight: 1, arbitrary: nasty });
}

function objectText(schema: Schema, schemas: Readonly<Record<string, Schema>>, depth: number): fc.Arbitrary<string> {
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, Schema>);
  const known = properties.map(([name, s]) =>
    fc
      .option(field(s, schemas, depth + 1), { nil: null, freq: 3 })
      .map((text) => (text === null ? null : `${JSON.stringify(name)}:${text}`)),
  );
  const name = fc.oneof(
    fc.constantFrom("__proto__", "constructor", "x", "", "a/b~c", LONE),
    fc.string({ maxLength: 8 }),
  );
  const other = fc.tuple(name, nasty).map(([n, text]) => `${JSON.stringify(n)}:${text}`);
  const others = fc.array(other, { maxLength: properties.length === 0 ? 3 : 1 });
  const extra = fc.oneof({ weight: 4, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: others });
  return fc
    .tuple(fc.tuple(...known), extra)
    .map(([own, more]) => `{${[...own.filter((t) => t !== null), ...more].join(",")}}`);
}

/** Bodies that are wrong as a whole, whatever was asked for. */
const ROTTEN: readonly (readonly [note: string, body: () => Buffer, headers?: Readonly<Record<string, string>>])[] = [
  ["no body", () => Buffer.alloc(0)],
  ["not UTF-8", () => Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xc0, 0x22, 0x7d])],
  ["half a document", () => Buffer.from('{"call_id":"c1","transcript":"Cust')],
  ["NUL bytes", () => Buffer.alloc(1_000)],
  ["11 MB of blanks and a value", () => Buffer.concat([Buffer.alloc(11_000_000, 0x20), Buffer.from("{}")])],
  ["11 MB in one string", () => Buffer.from(`{"transcript":"Customer: ${"word ".repeat(2_200_000)}"}`)],
  ["a million elements", () => Buffer.from(`{"calls":[${"1,".repeat(999_999)}1]}`)],
  ["a million turns", () => Buffer.from(`{"turns":[${"0,".repeat(999_999)}0]}`)],
  ["a million keys", () => Buffer.from(`{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":0`).join(",")}}`)],
  ["100,000 levels", () => Buffer.from(deep("[", "]", 100_000))],
  ["gzip bomb", () => gzipSync(Buffer.alloc(50_000_000)), { "content-encoding": "gzip" }],
  ["gzip, not said", () => gzipSync(Buffer.alloc(10_000))],
  ["two kinds of content", () => Buffer.from("a=b"), { "content-type": "application/x-www-form-urlencoded" }],
  ["a form", () => Buffer.from("--x\r\n"), { "content-type": "multipart/form-data; boundary=x" }],
  ["a charset", () => Buffer.from("{}"), { "content-type": "application/json; charset=utf-7" }],
  ["a content type of rubbish", () => Buffer.from("{}"), { "content-type": ";;;=/" }],
];

const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  {},
  {},
  {},
  {},
  {},
  { authorization: "Bearer" },
  { authorization: `Bearer ${"x".repeat(5_000)}` },
  { authorization: "Basic Og==" },
  { authorization: "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0." },
  { cookie: `earshot_session=${"%".repeat(100)}; a=b; __proto__=c` },
  { "x-request-id": "../../<script>" },
  { "if-none-match": '"a", W/"b", *,,,' },
  { origin: "https://evil.example" },
  { accept: "text/xml;q=0.0001" },
  { "x-forwarded-for": "1.2.3.4, ::1, __proto__" },
  { "x-http-method-override": "DELETE" },
  { range: "bytes=0-0,1-1" },
  { "idempotency-key": "\u0001".repeat(3).replaceAll("\u0001", "~") },
  { connection: "keep-alive, authorization" },
];

interface Cases {
  readonly n: number;
  readonly seed: number;
  /** Whether some of them are wrong as a whole. */
  readonly rotten: boolean;
}

/** `n` requests to one operation: made up, and wrong as a whole. The same seed makes the same ones. */
export function requestsFor(
  operation: FuzzOperation,
  document: Document,
  { n, seed, rotten }: Cases,
): [made: FuzzRequest[], rotten: FuzzRequest[]] {
  const types = Object.keys(operation.bodies);
  const wrong = rotten && types.length > 0 ? ROTTEN.slice(0, Math.floor(n / 2)) : [];
  const made = fc.sample(madeUp(operation, document), { numRuns: n - wrong.length, seed });
  const url = operation.path.replaceAll(/\{\w+\}/g, "seed-1");
  return [
    made,
    wrong.map(([note, body, headers]) => ({
      method: operation.method,
      url,
      headers: { "content-type": types[0] ?? "", ...headers },
      body: body(),
      note,
    })),
  ];
}

function madeUp(operation: FuzzOperation, document: Document): fc.Arbitrary<FuzzRequest> {
  const { method, path } = operation;
  const schemas = document.components.schemas as Record<string, Schema>;
  const types = Object.keys(operation.bodies);
  const query = operation.parameters.filter((p) => p.in === "query");
  const pair = (p: (typeof query)[number]) => fc.tuple(fc.constant(p.name), rawOf(p.schema));
  const known = fc.constantFrom("seed-1", "seed-2", "seed-3");
  const stray = fc.tuple(fc.constantFrom("limit", "x", "__proto__", "a[b]", "%00"), nastyRaw);
  return fc
    .record({
      id: fc.oneof({ weight: 3, arbitrary: known }, { weight: 1, arbitrary: nastyRaw }),
      pairs: query.length === 0 ? fc.constant([]) : fc.array(fc.oneof(...query.map(pair)), { maxLength: 4 }),
      stray: fc.option(stray, { freq: 8 }),
      headers: fc.constantFrom(...HEADERS),
      type: types.length === 0 ? fc.constant("") : fc.constantFrom(...types),
      body: types.length === 0 ? fc.constant("") : bodyText(operation, schemas),
    })
    .map(({ id, pairs, stray, headers, type, body }) => {
      const all = [...pairs, ...(stray ? [stray] : [])].map(([name, value]) => `${name}=${value}`).join("&");
      return {
        method,
        url: path.replaceAll(/\{\w+\}/g, () => id || "%20") + (all === "" ? "" : `?${all}`),
        headers: { ...(type !== "" && { "content-type": type }), ...headers },
        body: type === "" ? null : Buffer.from(body),
        note: body.slice(0, 200),
      };
    });
}

function bodyText(operation: FuzzOperation, schemas: Readonly<Record<string, Schema>>): fc.Arbitrary<string> {
  const [schema = {}] = Object.values(operation.bodies);
  if (operation.path.endsWith("/import")) {
    const row = objectText(schemas["CallInput"] ?? {}, schemas, 0);
    const line = fc.oneof(
      { weight: 5, arbitrary: row },
      { weight: 1, arbitrary: nasty },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
    );
    return fc.array(line, { maxLength: 5 }).map((lines) => lines.join("\n"));
  }
  return fc.oneof({ weight: 9, arbitrary: textOf(schema, schemas) }, { weight: 1, arbitrary: nasty });
}

function rawOf(schema: Schema): fc.Arbitrary<string> {
  const right = textOf(schema, {}).map((text) => {
    const value = JSON.parse(text) as unknown;
    return encodeURIComponent((typeof value === "string" ? value : text).toWellFormed());
  });
  return fc.oneof({ weight: 2, arbitrary: right }, { weight: 1, arbitrary: nastyRaw });
}
