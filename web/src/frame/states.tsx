/** What a view shows when it has nothing, waits, failed, or has less than usual. */
import { Alert, Anchor, Button, Skeleton, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { ApiError } from "../api.ts";
import { Link, useView } from "../router.tsx";

export function LoadingRows({ rows }: { readonly rows: number }) {
  return (
    <div role="status" aria-label="Loading" className="loading">
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} height={22} radius="sm" width={`${96 - ((i * 7) % 20)}%`} />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="empty">
      <svg
        viewBox="0 0 48 48"
        width="40"
        height="40"
        aria-hidden="true"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.5"
      >
        <path d="M12 20v8M20 14v20M28 18v12M36 22v4" strokeLinecap="round" strokeDasharray="2 4" />
      </svg>
      <Title order={2}>{title}</Title>
      <Text c="dimmed">{children}</Text>
    </div>
  );
}

/** The problem in the server's words, what to fix, and another try where one may go better. */
export function Failure({ error, retry }: { readonly error: Error; readonly retry: () => void }) {
  const problem = error instanceof ApiError ? error.problem : {};
  const unreachable = error instanceof ApiError && error.status === 0;
  const again = !(error instanceof ApiError) || unreachable || error.status === 429 || error.status >= 500;
  const title = unreachable ? "No answer" : (problem.title ?? "That failed");
  return (
    <Alert color="red" variant="light" role="alert" title={title} className="failure">
      {error.message !== title && problem.errors === undefined && <Text>{error.message}.</Text>}
      {problem.code === "call_not_found" && <Text>It may have been deleted, or your role does not see it.</Text>}
      {unreachable && <Text>Is it running, and is this machine connected to it?</Text>}
      {problem.errors?.map((e) => (
        <Text key={e.pointer}>
          <code>{e.pointer}</code> {e.message}
          {e.expected !== undefined && `; expected ${e.expected}`}
        </Text>
      ))}
      <div className="failure-end">
        {again && (
          <Button size="compact-sm" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
        {problem.request_id !== undefined && (
          <Text size="xs" c="dimmed">
            Request {problem.request_id}
          </Text>
        )}
      </div>
    </Alert>
  );
}

const LACKS: Readonly<Record<string, string>> = {
  models:
    "The language model is not running. Sentiment comes from a word list meanwhile, and is made again by itself when the model is back.",
  index:
    "The index of calls is being loaded. Until it is there, search goes by words alone and no similar calls are shown.",
  store: "The database answers late. This is the last good answer.",
};

export function Degraded({ parts }: { readonly parts: readonly string[] }) {
  if (parts.length === 0) return null;
  return (
    <Alert color="yellow" variant="light" role="status" title="Less exact than usual" className="degraded">
      {parts.map((part) => LACKS[part] ?? `This part of the server is not whole: ${part}.`).join(" ")}
    </Alert>
  );
}

export function NothingHere() {
  const heading = useView("Not found");
  return (
    <div className="empty">
      <Title order={1} ref={heading} tabIndex={-1}>
        There is nothing at this address
      </Title>
      <Anchor component={Link} href="/">
        All calls
      </Anchor>
    </div>
  );
}
