/** `npm run build:web`. */
import { buildWeb } from "../src/commands/build-web.ts";

await buildWeb();
