import { useEffect, useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { post } from "../api.ts";
import { me } from "../queries.ts";
import { navigate } from "../router.tsx";

type Exchange = { readonly state: "none" | "exchanging"; readonly problem: string | null };

/** Behind the # it is never sent to a server, so it stands in no log. */
function takeToken(): string | null {
  const token = /^#sign-in=([\w-]+)$/.exec(location.hash)?.[1] ?? null;
  if (token !== null) navigate(location.pathname + location.search, { replace: true });
  return token;
}

// Read once a page load, before anything renders twice.
let token = takeToken();

/** Signs in with the token of a link `/#sign-in=…`, and takes it out of the address and the history. */
export function useOneUseLink(): Exchange {
  const client = useQueryClient();
  const [exchange, setExchange] = useState<Exchange>({ state: token === null ? "none" : "exchanging", problem: null });
  useEffect(() => {
    const sign = async (): Promise<void> => {
      const mine = token ?? takeToken();
      token = null;
      if (mine === null) return;
      setExchange({ state: "exchanging", problem: null });
      try {
        await post("/auth/session", { token: mine });
        setExchange({ state: "none", problem: null });
        await client.resetQueries({ queryKey: me.queryKey });
      } catch (error) {
        setExchange({ state: "none", problem: error instanceof Error ? error.message : String(error) });
      }
    };
    void sign();
    const again = () => void sign();
    addEventListener("hashchange", again);
    return () => removeEventListener("hashchange", again);
  }, [client]);
  return exchange;
}
