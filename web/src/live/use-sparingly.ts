import { useQueryClient } from "@tanstack/react-query";
import type { QueryKey } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

/** Reads a query again: at once the first time, then at most once in so many milliseconds, the last wish included. */
export function useSparingly(queryKey: QueryKey, every_ms: number): () => void {
  const client = useQueryClient();
  const timer = useRef<number | undefined>(undefined);
  const wished = useRef(false);
  useEffect(() => () => clearTimeout(timer.current), []);
  const read = (): void => {
    wished.current = false;
    void client.invalidateQueries({ queryKey, exact: true });
    timer.current = setTimeout(() => {
      timer.current = undefined;
      if (wished.current) read();
    }, every_ms);
  };
  return () => {
    if (timer.current === undefined) read();
    else wished.current = true;
  };
}
