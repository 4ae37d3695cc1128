import "@mantine/core/styles.css";
import "./style.css";
import "./frame/frame.css";
import "./calls/list.css";
import "./agents/agents.css";
// One file for all views: the first paint waits for one, and a view never shows without its style.
import "./call/call.css";
import "./live/live.css";
import { MantineProvider } from "@mantine/core";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api.ts";
import { App } from "./app.tsx";
import { me } from "./queries.ts";
import { theme } from "./theme.ts";

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    // A session that ended shows the sign-in, wherever it is noticed.
    onError: (error, query) => {
      if (error instanceof ApiError && error.status === 401 && query.queryKey[0] !== "me") {
        void client.resetQueries({ queryKey: me.queryKey });
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (failures, error) => failures < 1 && error instanceof ApiError && error.status >= 500,
      // A server on this machine needs no internet connection.
      networkMode: "always",
    },
  },
});

const root = document.querySelector("#root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
