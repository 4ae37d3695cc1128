import { Table, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { LiveRow } from "./live-types.ts";
import { agentName, ago, plural } from "../format.ts";
import { MeanSentiment, Unknown } from "../frame/sentiment.tsx";
import { Degraded, Empty, Failure, LoadingRows } from "../frame/states.tsx";
import { TalkRatio } from "../frame/talk-ratio.tsx";
import { liveList } from "../queries.ts";
import { Link, useView } from "../router.tsx";
import { ruleName } from "./alerts.ts";
import { Following } from "./following.tsx";
import { useStream } from "./stream.ts";
import { TrendMark } from "./trend.tsx";
import { useSparingly } from "./use-sparingly.ts";

/** However much goes on, the list is read again at most this often. */
const READ_EVERY_MS = 1000;

export function LiveView() {
  const heading = useView("Live");
  const list = useQuery(liveList);
  const again = useSparingly(liveList.queryKey, READ_EVERY_MS);
  const state = useStream("/ws/feed?types=live.started,live.turn,live.alert,live.ended", again);
  const { data } = list;
  const calls = data?.body.calls ?? [];
  return (
    <>
      <div className="head">
        <Title order={1} ref={heading} tabIndex={-1}>
          Live
        </Title>
        <p className="dim" role="status">
          {data && plural(calls.length, "call")}
        </p>
        <Following state={state} />
        <p className="scale-note dim small">
          Sentiment is the moving average of the customer’s turns, from −1 (negative) to +1 (positive).
        </p>
      </div>
      <Degraded parts={data?.degraded ?? []} />
      <section aria-label="Live calls" className="panel list">
        {list.isPending && <LoadingRows rows={6} />}
        {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
        {data && !list.isError && calls.length === 0 && (
          <Empty title="Nobody is on a call">
            A call that is sent turn by turn appears here by itself. The <a href="/docs">API reference</a> shows how to
            begin with <code>POST /api/v1/live</code>.
          </Empty>
        )}
        {data && !list.isError && calls.length > 0 && <LiveTable calls={calls} />}
      </section>
    </>
  );
}

function LiveTable({ calls }: { readonly calls: readonly LiveRow[] }) {
  return (
    <Table className="rows live" verticalSpacing={7} horizontalSpacing="sm" highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Began</Table.Th>
          <Table.Th>Call</Table.Th>
          <Table.Th>Agent</Table.Th>
          <Table.Th>Sentiment now</Table.Th>
          <Table.Th>Trend</Table.Th>
          <Table.Th>Agent talk</Table.Th>
          <Table.Th>Last alert</Table.Th>
          <Table.Th>Turns</Table.Th>
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

function Row({ call }: { readonly call: LiveRow }) {
  const alert = call.alerts.at(-1);
  return (
    <Table.Tr className="row">
      <Table.Td className="when">{ago(call.start_time)}</Table.Td>
      <Table.Td className="id">
        <Link className="row-link" href={`/live/${encodeURIComponent(call.call_id)}`}>
          {call.call_id}
        </Link>
      </Table.Td>
      <Table.Td data-label="Agent">{agentName(call.agent_id)}</Table.Td>
      <Table.Td data-label="Sentiment now">
        <MeanSentiment score={call.live_sentiment} />
      </Table.Td>
      <Table.Td data-label="Trend">
        <TrendMark trend={call.trend} />
      </Table.Td>
      <Table.Td data-label="Agent talk">
        <TalkRatio ratio={call.agent_talk_ratio} />
      </Table.Td>
      <Table.Td data-label="Last alert">
        {alert === undefined ? <Unknown why="none" /> : ruleName(alert.rule_id)}
      </Table.Td>
      <Table.Td data-label="Turns" className="num end">
        {call.turns}
      </Table.Td>
    </Table.Tr>
  );
}
