/** The address bar is the state: five views, their filters, and Back. */
import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { AnchorHTMLAttributes, MouseEvent, RefObject } from "react";

const CHANGED = "earshot:navigated";

function subscribe(listener: () => void): () => void {
  addEventListener("popstate", listener);
  addEventListener(CHANGED, listener);
  return () => {
    removeEventListener("popstate", listener);
    removeEventListener(CHANGED, listener);
  };
}

/** Set by the list, whenever its address changes. */
let lastList = "/";

/** Path and query as they are now; renders again when they change. */
export function useAddress(): URL {
  const href = useSyncExternalStore(subscribe, () => location.href);
  return useMemo(() => new URL(href), [href]);
}

export function rememberList(url: URL): void {
  lastList = url.pathname + url.search;
}

/** The list as it was last seen, filters and page included. */
export function lastListAddress(): string {
  return lastList;
}

/** `state` survives a reload, as the browser keeps it beside the entry. */
export function navigate(to: string, options: { replace?: boolean; state?: unknown } = {}): void {
  if (options.replace) history.replaceState(options.state ?? null, "", to);
  else history.pushState(options.state ?? null, "", to);
  dispatchEvent(new Event(CHANGED));
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { readonly href: string };

/** An anchor that stays in the page; new tabs and other buttons go the browser's way. */
export function Link({ href, onClick, children, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
    scrollTo(0, 0);
  };
  return (
    <a href={href} onClick={follow} {...rest}>
      {children}
    </a>
  );
}

let lastTitle: string | null = null;

/** Titles the document and moves the focus to the view's heading, except on the first view of a visit. */
export function useView(title: string): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Earshot`;
  }, [title]);
  useEffect(() => {
    if (lastTitle !== null && lastTitle !== title) heading.current?.focus({ preventScroll: true });
    lastTitle = title;
  }, [title]);
  return heading;
}
