/** Header, navigation and the main landmark around every view. */
import { ActionIcon, Button, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { post } from "../api.ts";
import type { User } from "../api-types.ts";
import { agentName } from "../format.ts";
import { Link, navigate, useAddress } from "../router.tsx";
import { Logo } from "./logo.tsx";

export function Shell({ user, children }: { readonly user: User; readonly children: ReactNode }) {
  const { pathname } = useAddress();
  const inCalls = pathname === "/" || pathname.startsWith("/calls/");
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="bar">
        <div className="bar-inner">
          <Link href="/" className="home" aria-label="Earshot, all calls">
            <Logo />
          </Link>
          <nav aria-label="Views">
            <Link href="/" aria-current={inCalls ? "page" : undefined}>
              Calls
            </Link>
            <Link href="/agents" aria-current={pathname === "/agents" ? "page" : undefined}>
              Agents
            </Link>
            <Link href="/live" aria-current={pathname.startsWith("/live") ? "page" : undefined}>
              Live
            </Link>
          </nav>
          <div className="bar-end">
            <span className="who">
              {agentName(user.name)}
              {user.name !== user.role && <span className="dim"> · {user.role}</span>}
            </span>
            <SchemeToggle />
            <SignOut />
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const next = useComputedColorScheme("light", { getInitialValueInEffect: false }) === "dark" ? "light" : "dark";
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      onClick={() => setColorScheme(next)}
      aria-label={`Use the ${next} colours`}
    >
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" fill="currentColor">
        <path d="M10 1.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Zm0 2v13a6.5 6.5 0 0 1 0-13Z" />
      </svg>
    </ActionIcon>
  );
}

function SignOut() {
  const client = useQueryClient();
  const leave = async () => {
    // Whatever the server says, this browser shows nothing more of it.
    await post("/auth/logout", undefined).catch(() => undefined);
    navigate("/");
    client.clear();
    location.reload();
  };
  return (
    <Button variant="default" size="compact-sm" onClick={() => void leave()}>
      Sign out
    </Button>
  );
}
