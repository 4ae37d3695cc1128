/** Before all tests, once: the page as its sources are now, so that test processes do not build it over each other. */
import { buildWeb, webIsStale } from "../../src/commands/build-web.ts";

export default async function setup(): Promise<void> {
  if (await webIsStale()) await buildWeb();
}
