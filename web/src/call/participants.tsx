import { Anchor } from "@mantine/core";
import type { CallRow } from "../api-types.ts";
import { agentName } from "../format.ts";
import { Link } from "../router.tsx";

/** Who talked: items of a list of facts. The customer is left out where nobody is named. */
export function Participants({ agent_id, customer_id }: Readonly<Pick<CallRow, "agent_id" | "customer_id">>) {
  return (
    <>
      <li>
        <span className="dim">Agent </span>
        <Anchor component={Link} href={`/?agent_id=${encodeURIComponent(agent_id)}`}>
          {agentName(agent_id)}
        </Anchor>
      </li>
      {customer_id !== null && (
        <li>
          <span className="dim">Customer </span>
          {customer_id}
        </li>
      )}
    </>
  );
}
