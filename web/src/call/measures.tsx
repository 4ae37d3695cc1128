import { Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Definitions, Insights } from "../api-types.ts";
import { Failure, LoadingRows } from "../frame/states.tsx";
import { measure } from "../format.ts";
import { definitions } from "../queries.ts";

type Definition = Definitions["measures"][number];

const KEY: readonly Definition["name"][] = [
  "customer_sentiment_score",
  "sentiment_change",
  "agent_talk_ratio",
  "interactivity",
  "longest_monologue_seconds",
  "patience_ms",
];
const GROUPS = { conversation: "Conversation", sentiment: "Sentiment" };

interface InsightsProps {
  readonly insights: Insights | null;
}

/** The six that tell most, as a strip. */
export function KeyMeasures({ insights }: InsightsProps) {
  const { data } = useQuery(definitions);
  const known = KEY.flatMap((name) => data?.body.measures.filter((m) => m.name === name) ?? []);
  return (
    <dl className="key-measures" aria-label="Key measures">
      {known.map((m) => (
        <Value key={m.name} definition={m} insights={insights} />
      ))}
    </dl>
  );
}

/** All measures by group, each with its definition, and the reason where there is no value. */
export function Measures({ insights }: InsightsProps) {
  const query = useQuery(definitions);
  if (query.isPending) return <LoadingRows rows={8} />;
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const { measures } = query.data.body;
  return (
    <>
      {Object.entries(GROUPS).map(([group, title]) => (
        <section key={group} aria-label={`${title} measures`}>
          <h3>{title}</h3>
          <dl className="measures">
            {measures
              .filter((m) => m.group === group)
              .map((m) => (
                <Value key={m.name} definition={m} insights={insights} />
              ))}
          </dl>
        </section>
      ))}
      {insights !== null && <Provenance insights={insights} />}
    </>
  );
}

function Value({ definition, insights }: InsightsProps & { readonly definition: Definition }) {
  const value = insights?.[definition.name] ?? null;
  const reason = insights === null ? "Not made yet" : insights.unavailable[definition.name];
  return (
    <div className="measure">
      <dt>
        <Term definition={definition} />
      </dt>
      <dd className="num">
        {value === null ? (
          <span className="dim small">{reason ?? "Not available"}</span>
        ) : (
          <Shown {...measure(value, definition.unit)} />
        )}
      </dd>
    </div>
  );
}

export function Shown({ figure, unit }: ReturnType<typeof measure>) {
  return (
    <>
      {figure}
      {unit !== "" && <span className="unit"> {unit}</span>}
    </>
  );
}

/** A measure's name that says on hover or focus what it means. */
export function Term({ definition }: { readonly definition: Pick<Definition, "title" | "definition" | "source"> }) {
  return (
    <Tooltip
      multiline
      w={300}
      withArrow
      position="top-start"
      events={{ hover: true, focus: true, touch: true }}
      label={
        <>
          {definition.definition}
          <span className="tooltip-source">Definition: {definition.source}</span>
        </>
      }
    >
      <button type="button" className="term">
        {definition.title}
      </button>
    </Tooltip>
  );
}

function Provenance({ insights }: { readonly insights: Insights }) {
  const { sentiment, conversation } = insights.provenance;
  const how = sentiment.method === "statistical" ? "a word list" : `${sentiment.model} ${sentiment.version}`;
  return (
    <p className="provenance dim small">
      Sentiment by {how}; the rest counted by formula set {conversation.version}.
    </p>
  );
}
