import type { Recommendations } from "../api-types.ts";
import { MeanSentiment } from "../frame/sentiment.tsx";
import { agentName } from "../format.ts";
import { Link } from "../router.tsx";

interface SimilarProps {
  readonly calls: Recommendations["similar_calls"];
  readonly reason: string | undefined;
}

export function SimilarCalls({ calls, reason }: SimilarProps) {
  if (calls.length === 0) return <p className="dim">{reason ?? "There are no other calls yet."}</p>;
  return (
    <>
      <ul className="similar-list">
        {calls.map((call) => (
          <li key={call.call_id} className="row">
            <span>
              <Link className="row-link" href={`/calls/${encodeURIComponent(call.call_id)}`}>
                {call.call_id}
              </Link>
              <span className="dim block">{agentName(call.agent_id)}</span>
            </span>
            <span className="pair num">
              <span className="dim block">Likeness</span>
              {call.similarity_score.toFixed(2)}
            </span>
            <span className="pair">
              <span className="dim block">Sentiment</span>
              <MeanSentiment score={call.customer_sentiment_score} />
            </span>
          </li>
        ))}
      </ul>
      <p className="dim small">Likeness of what was said: 1 is the same, 0 has nothing in common.</p>
    </>
  );
}
