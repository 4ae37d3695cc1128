import { Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { Degraded, Empty, Failure, LoadingRows } from "../frame/states.tsx";
import { count, plural } from "../format.ts";
import { callList } from "../queries.ts";
import { Link, rememberList, useAddress, useView } from "../router.tsx";
import { CallFilters } from "./call-filters.tsx";
import { CallTable } from "./call-table.tsx";
import { isFiltered, PAGE_SIZE, readListState, toQuery } from "./list-state.ts";
import type { ListState } from "./list-state.ts";
import { Pages } from "./pages.tsx";

export function CallsView() {
  const url = useAddress();
  const state = readListState(url);
  const heading = useView("Calls");
  const list = useQuery(callList(toQuery(state)));
  const { data } = list;
  useEffect(() => rememberList(url), [url]);
  return (
    <>
      <div className="head">
        <Title order={1} ref={heading} tabIndex={-1}>
          Calls
        </Title>
        <p className="dim" role="status">
          {data && <Shown state={state} here={data.calls.length} total={data.total} more={data.total_relation} />}
        </p>
        <p className="scale-note dim small">
          Sentiment is the mean of the customer’s turns, from −1 (negative) to +1 (positive).
        </p>
      </div>
      <Degraded parts={data?.degraded ?? []} />
      <CallFilters url={url} state={state} />
      <section aria-label="Calls" className="panel list" aria-busy={list.isPlaceholderData}>
        {list.isPending && <LoadingRows rows={12} />}
        {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
        {data && !list.isError && data.calls.length === 0 && <NoCalls filtered={isFiltered(state)} />}
        {data && !list.isError && data.calls.length > 0 && <CallTable calls={data.calls} url={url} state={state} />}
      </section>
      {data && !list.isError && <Pages url={url} state={state} next={data.next_cursor} />}
    </>
  );
}

interface ShownProps {
  readonly state: ListState;
  readonly here: number;
  readonly total: number;
  readonly more: "eq" | "gte";
}

function Shown({ state, here, total, more }: ShownProps) {
  const first = (state.page - 1) * PAGE_SIZE + 1;
  const of = more === "gte" ? `more than ${count(total)} calls` : plural(total, "call");
  if (here === 0 || here === total) return of;
  return `${count(first)}–${count(first + here - 1)} of ${of}`;
}

function NoCalls({ filtered }: { readonly filtered: boolean }) {
  if (filtered) {
    return (
      <Empty title="No call fits these filters">
        Widen the dates or the sentiment, or <Link href="/">show all calls</Link>.
      </Empty>
    );
  }
  return (
    <Empty title="No calls yet">
      Send one with <code>POST /api/v1/calls</code>, or many with <code>earshot import FILE</code>. The{" "}
      <a href="/docs">API reference</a> shows how.
    </Empty>
  );
}
