import { Button, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { agentName } from "../format.ts";
import { agents } from "../queries.ts";
import { navigate } from "../router.tsx";
import { isFiltered, NO_FILTER, withChanges } from "./list-state.ts";
import type { ListState } from "./list-state.ts";
import { SORTS } from "./sorts.ts";

interface FiltersProps {
  readonly url: URL;
  readonly state: ListState;
}

/** Every change goes to the address at once; there is nothing to submit. */
export function CallFilters({ url, state }: FiltersProps) {
  const team = useQuery(agents);
  const set = (name: keyof typeof NO_FILTER | "sort", value: string) => {
    if (value !== (url.searchParams.get(name) ?? "")) navigate(withChanges(url, { [name]: value }));
  };
  const known = (team.data?.body ?? []).map((a) => a.agent_id).toSorted();
  const chosen = state.agent_id;
  const ids = chosen === undefined || known.includes(chosen) ? known : [chosen, ...known];
  return (
    <form className="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <NativeSelect
        label="Agent"
        value={chosen ?? ""}
        onChange={(event) => set("agent_id", event.currentTarget.value)}
        data={[{ value: "", label: "All agents" }, ...ids.map((id) => ({ value: id, label: agentName(id) }))]}
      />
      <NativeSelect
        label="Outcome"
        value={state.outcome ?? ""}
        onChange={(event) => set("outcome", event.currentTarget.value)}
        data={[
          { value: "", label: "Any" },
          { value: "won", label: "Won" },
          { value: "lost", label: "Lost" },
          { value: "open", label: "Open" },
        ]}
      />
      <TextInput
        type="date"
        label="From"
        value={state.from_date ?? ""}
        max={state.to_date}
        onChange={(event) => set("from_date", event.currentTarget.value)}
      />
      <TextInput
        type="date"
        label="To"
        value={state.to_date ?? ""}
        min={state.from_date}
        onChange={(event) => set("to_date", event.currentTarget.value)}
      />
      <fieldset className="range">
        <legend>Customer sentiment</legend>
        <Score label="at least" value={state.min_sentiment} onCommit={(value) => set("min_sentiment", value)} />
        <span aria-hidden="true">to</span>
        <Score label="at most" value={state.max_sentiment} onCommit={(value) => set("max_sentiment", value)} />
      </fieldset>
      <NativeSelect
        className="sort-select"
        label="Order"
        value={state.sort ?? "-start_time"}
        onChange={(event) => set("sort", event.currentTarget.value === "-start_time" ? "" : event.currentTarget.value)}
        data={SORTS}
      />
      <Button
        variant="subtle"
        onClick={() => navigate(withChanges(url, NO_FILTER))}
        disabled={!isFiltered(state)}
        className="clear"
      >
        Clear filters
      </Button>
    </form>
  );
}

interface ScoreProps {
  readonly label: string;
  readonly value: number | undefined;
  readonly onCommit: (value: string) => void;
}

/** Goes to the address when the field is left or Enter is pressed: half a number is no filter. */
function Score({ label, value, onCommit }: ScoreProps) {
  const commit = (field: HTMLInputElement) => onCommit(field.value.replace("\u2212", "-"));
  return (
    <NumberInput
      key={value ?? "none"}
      aria-label={`Customer sentiment ${label}`}
      defaultValue={value ?? ""}
      placeholder={label === "at least" ? "−1" : "+1"}
      min={-1}
      max={1}
      step={0.1}
      decimalScale={2}
      clampBehavior="strict"
      hideControls
      onBlur={(event) => commit(event.currentTarget)}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit(event.currentTarget);
      }}
    />
  );
}
