import { Table } from "@mantine/core";
import type { CallRow } from "../api-types.ts";
import { EnrichmentState } from "../frame/enrichment-state.tsx";
import { Outcome } from "../frame/outcome.tsx";
import { MeanSentiment, Unknown } from "../frame/sentiment.tsx";
import { TalkRatio } from "../frame/talk-ratio.tsx";
import { agentName, ago, clock, dayOf, timeOf } from "../format.ts";
import { Link, navigate } from "../router.tsx";
import { withChanges } from "./list-state.ts";
import type { ListState } from "./list-state.ts";

interface TableProps {
  readonly calls: readonly CallRow[];
  readonly url: URL;
  readonly state: ListState;
}

export function CallTable({ calls, url, state }: TableProps) {
  const column = { url, sort: state.sort ?? "-start_time" };
  return (
    <Table className="rows" verticalSpacing={7} horizontalSpacing="sm" highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <SortableHead {...column} field="start_time" first="-">
            Started
          </SortableHead>
          <Table.Th>Call</Table.Th>
          <Table.Th>Agent</Table.Th>
          <Table.Th>Customer</Table.Th>
          <Table.Th>Outcome</Table.Th>
          <SortableHead {...column} field="customer_sentiment_score" first="">
            Sentiment
          </SortableHead>
          <SortableHead {...column} field="agent_talk_ratio" first="-">
            Agent talk
          </SortableHead>
          <SortableHead {...column} field="duration_seconds" first="-">
            Length
          </SortableHead>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {calls.map((call) => (
          <Row key={call.call_id} call={call} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

interface HeadProps {
  readonly url: URL;
  readonly sort: string;
  readonly field: string;
  /** The direction that a first click means. */
  readonly first: "" | "-";
  readonly children: string;
}

function SortableHead({ url, sort, field, first, children }: HeadProps) {
  const active = sort.replace("-", "") === field;
  const descending = sort.startsWith("-");
  const next = active ? `${descending ? "" : "-"}${field}` : `${first}${field}`;
  const direction = descending ? "descending" : "ascending";
  return (
    <Table.Th aria-sort={active ? direction : "none"}>
      <button
        type="button"
        className="sort"
        data-active={active}
        onClick={() => navigate(withChanges(url, { sort: next === "-start_time" ? "" : next }))}
      >
        {children}
        <svg viewBox="0 0 8 8" width="8" height="8" aria-hidden="true" fill="currentColor">
          <path d={active && !descending ? "M4 1 7.5 7h-7Z" : "M4 7 .5 1h7Z"} />
        </svg>
      </button>
    </Table.Th>
  );
}

function Row({ call }: { readonly call: CallRow }) {
  return (
    <Table.Tr className="row">
      <Table.Td className="when">
        {dayOf(call.start_time)}, {timeOf(call.start_time)}
        <span className="dim block">{ago(call.start_time)}</span>
      </Table.Td>
      <Table.Td className="id">
        <Link className="row-link" href={`/calls/${encodeURIComponent(call.call_id)}`}>
          {call.call_id}
        </Link>
        <EnrichmentState state={call.enrichment.state} />
      </Table.Td>
      <Table.Td data-label="Agent">{agentName(call.agent_id)}</Table.Td>
      <Table.Td data-label="Customer">{call.customer_id ?? <Unknown />}</Table.Td>
      <Table.Td data-label="Outcome">
        <Outcome outcome={call.outcome} />
      </Table.Td>
      <Table.Td data-label="Sentiment">
        <MeanSentiment score={call.customer_sentiment_score} />
      </Table.Td>
      <Table.Td data-label="Agent talk">
        <TalkRatio ratio={call.agent_talk_ratio} />
      </Table.Td>
      <Table.Td data-label="Length" className="num end">
        {call.duration_seconds === null ? (
          <Unknown why="no timings" />
        ) : (
          <>
            {clock(call.duration_seconds)}
            <span className="unit"> min</span>
          </>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
