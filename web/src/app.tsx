/** Who is there, and which view the address names. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { ApiError } from "./api.ts";
import { CallsView } from "./calls/calls-view.tsx";
import { Shell } from "./frame/shell.tsx";
import { SignIn } from "./frame/sign-in.tsx";
import { Failure, LoadingRows, NothingHere } from "./frame/states.tsx";
import { useOneUseLink } from "./frame/one-use-link.ts";
import { me } from "./queries.ts";
import { useAddress } from "./router.tsx";

const AgentsView = lazy(async () => ({ default: (await import("./agents/agents-view.tsx")).AgentsView }));
const CallView = lazy(async () => ({ default: (await import("./call/call-view.tsx")).CallView }));
const LiveView = lazy(async () => ({ default: (await import("./live/live-view.tsx")).LiveView }));
const LiveCallView = lazy(async () => ({ default: (await import("./live/live-call-view.tsx")).LiveCallView }));

export function App() {
  const link = useOneUseLink();
  const user = useQuery({ ...me, enabled: link.state !== "exchanging" });
  if (user.data !== undefined) {
    return (
      <Shell user={user.data.body}>
        <Suspense fallback={<LoadingRows rows={8} />}>
          <View />
        </Suspense>
      </Shell>
    );
  }
  if (user.isError && !(user.error instanceof ApiError && user.error.status === 401)) {
    return (
      <main className="alone">
        <Failure error={user.error} retry={() => void user.refetch()} />
      </main>
    );
  }
  if (user.isPending) return <main className="alone" aria-busy="true" aria-label="Loading" />;
  return <SignIn problem={link.problem} />;
}

function View() {
  const { pathname } = useAddress();
  if (pathname === "/") return <CallsView />;
  if (pathname === "/agents") return <AgentsView />;
  if (pathname === "/live") return <LiveView />;
  const live_id = /^\/live\/([^/]+)$/.exec(pathname)?.[1];
  if (live_id !== undefined) return <LiveCallView key={live_id} callId={decodeURIComponent(live_id)} />;
  const call_id = /^\/calls\/([^/]+)$/.exec(pathname)?.[1];
  if (call_id !== undefined) return <CallView key={call_id} callId={decodeURIComponent(call_id)} />;
  return <NothingHere />;
}
