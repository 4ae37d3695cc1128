import { Button } from "@mantine/core";
import { navigate } from "../router.tsx";
import { nextPage, stepsBack, withChanges } from "./list-state.ts";
import type { ListState } from "./list-state.ts";

interface PagesProps {
  readonly url: URL;
  readonly state: ListState;
  readonly next: string | null;
}

/** A cursor knows what comes after it, not before: back is the browser's history, or the first page of a shared link. */
export function Pages({ url, state, next }: PagesProps) {
  const first = state.cursor === undefined;
  if (first && next === null) return null;
  const back = () => {
    if (stepsBack() > 0) history.back();
    else navigate(withChanges(url, {}));
  };
  const onward = () => {
    if (next === null) return;
    nextPage(url, next, state.page);
    scrollTo(0, 0);
  };
  return (
    <nav className="pages" aria-label="Pages">
      <Button variant="default" onClick={back} disabled={first}>
        {first || stepsBack() > 0 ? "Previous" : "First page"}
      </Button>
      <span className="dim num">Page {state.page}</span>
      <Button variant="default" onClick={onward} disabled={next === null}>
        Next
      </Button>
    </nav>
  );
}
