import { Table, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { AgentFigures } from "../api-types.ts";
import { Unknown } from "../frame/sentiment.tsx";
import { Degraded, Empty, Failure, LoadingRows } from "../frame/states.tsx";
import { agentName, count, percent, plural, signed } from "../format.ts";
import { agents } from "../queries.ts";
import { Link, useView } from "../router.tsx";
import { axisOf, Interval, placeOn } from "./interval.tsx";
import type { Axis } from "./interval.tsx";

export function AgentsView() {
  const heading = useView("Agents");
  const query = useQuery(agents);
  const list = query.data?.body ?? [];
  return (
    <>
      <div className="head">
        <Title order={1} ref={heading} tabIndex={-1}>
          Agents
        </Title>
        <p className="dim" role="status">
          {query.data && plural(list.length, "agent")}
        </p>
      </div>
      <Degraded parts={query.data?.degraded ?? []} />
      <p className="note">
        Each dot is a mean over calls, its line the 95 % interval: where lines overlap, the difference may well be
        chance. Customer sentiment runs from −1 (negative) to +1 (positive); ranks are by it, among agents with enough
        calls. The thin lines mark sentiment 0 and half of the words.
      </p>
      <section aria-label="Agents" className="panel list">
        {query.isPending && <LoadingRows rows={8} />}
        {query.isError && <Failure error={query.error} retry={() => void query.refetch()} />}
        {query.isSuccess && list.length === 0 && (
          <Empty title="No agents yet">They appear with their first call.</Empty>
        )}
        {query.isSuccess && list.length > 0 && <AgentTable list={list} />}
      </section>
    </>
  );
}

function AgentTable({ list }: { readonly list: readonly AgentFigures[] }) {
  const sentiment = axisOf(
    list.map((a) => ({ mean: a.avg_sentiment, ci95: a.sentiment.ci95 })),
    { low: -1, high: 1, include: 0 },
  );
  const talk = axisOf(
    list.map((a) => ({ mean: a.avg_talk_ratio, ci95: a.talk_ratio.ci95 })),
    { low: 0, high: 1, include: 0.5 },
  );
  return (
    <Table className="rows agents" verticalSpacing={7} horizontalSpacing="sm" highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Rank</Table.Th>
          <Table.Th>Agent</Table.Th>
          <Table.Th>Customer sentiment</Table.Th>
          <Table.Th aria-label="Interval of customer sentiment">
            <Scale axis={sentiment} format={signed} />
          </Table.Th>
          <Table.Th>Agent talk</Table.Th>
          <Table.Th aria-label="Interval of agent talk">
            <Scale axis={talk} format={percent} />
          </Table.Th>
          <Table.Th className="end">Calls</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {list.map((agent) => (
          <Row key={agent.agent_id} agent={agent} sentiment={sentiment} talk={talk} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

interface RowProps {
  readonly agent: AgentFigures;
  readonly sentiment: Axis;
  readonly talk: Axis;
}

function Row({ agent, sentiment, talk }: RowProps) {
  const { avg_sentiment, avg_talk_ratio } = agent;
  return (
    <Table.Tr className="row">
      <Table.Td className="rank num">
        {agent.rank ?? <Unknown why="no rank: too few calls, or nobody to compare with" />}
      </Table.Td>
      <Table.Td className="id">
        <Link className="row-link" href={`/?agent_id=${encodeURIComponent(agent.agent_id)}`}>
          {agentName(agent.agent_id)}
        </Link>
      </Table.Td>
      <Table.Td className="num" data-label="Customer sentiment">
        {avg_sentiment === null ? <Unknown /> : signed(avg_sentiment)}
        <Margin ci95={agent.sentiment.ci95} format={(half) => half.toFixed(2)} />
      </Table.Td>
      <Table.Td className="picture">
        <Interval axis={sentiment} mean={avg_sentiment} ci95={agent.sentiment.ci95} format={signed} />
      </Table.Td>
      <Table.Td className="num" data-label="Agent talk">
        {avg_talk_ratio === null ? <Unknown /> : percent(avg_talk_ratio)}
        <Margin ci95={agent.talk_ratio.ci95} format={percent} />
      </Table.Td>
      <Table.Td className="picture">
        <Interval axis={talk} mean={avg_talk_ratio} ci95={agent.talk_ratio.ci95} format={percent} />
      </Table.Td>
      <Table.Td className="num end" data-label="Calls">
        {count(agent.total_calls)}
        {agent.sentiment.n !== agent.total_calls && <span className="dim block">{count(agent.sentiment.n)} rated</span>}
      </Table.Td>
    </Table.Tr>
  );
}

/** Both ends, and the thin line between them where it leaves room for its label. */
function Scale({ axis, format }: { readonly axis: Axis; readonly format: (value: number) => string }) {
  const line = placeOn(axis, axis.line);
  const marks = [axis.low, ...(line > 25 && line < 75 ? [axis.line] : []), axis.high];
  return (
    <span className="scale num" aria-hidden="true">
      {marks.map((mark) => (
        <span key={mark} style={{ left: `${placeOn(axis, mark)}%` }}>
          {format(mark)}
        </span>
      ))}
    </span>
  );
}

interface MarginProps {
  readonly ci95: AgentFigures["sentiment"]["ci95"];
  readonly format: (half: number) => string;
}

/** Half of the interval, as people write it beside a mean. */
function Margin({ ci95, format }: MarginProps) {
  if (ci95 === null) return null;
  return <span className="dim margin"> ± {format((ci95[1] - ci95[0]) / 2)}</span>;
}
