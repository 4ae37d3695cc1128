// The reference for one call by id: node:http and one prepared statement.
import peer from "./fastapi.mjs";

export default { ...peer, name: "bare", check: { get: (json, id) => json.call_id === id && json.turns.length > 1 } };
