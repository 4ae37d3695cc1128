/** Orders that the list offers, as the API names them. */
export const SORTS = [
  { value: "-start_time", label: "Newest first" },
  { value: "start_time", label: "Oldest first" },
  { value: "customer_sentiment_score", label: "Lowest sentiment first" },
  { value: "-customer_sentiment_score", label: "Highest sentiment first" },
  { value: "-agent_talk_ratio", label: "Most agent talk first" },
  { value: "agent_talk_ratio", label: "Least agent talk first" },
  { value: "-duration_seconds", label: "Longest first" },
  { value: "duration_seconds", label: "Shortest first" },
];
