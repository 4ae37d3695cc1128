/** Who sells and who buys in the demo. */
import { CRM } from "./topic-crm.ts";
import { FLEET } from "./topic-fleet.ts";
import { PAYROLL } from "./topic-payroll.ts";
import { PHONES } from "./topic-phones.ts";
import { SECURITY } from "./topic-security.ts";
import { SOLAR } from "./topic-solar.ts";
import type { Topic } from "./topic.ts";

export const TOPICS: readonly Topic[] = [CRM, FLEET, PAYROLL, PHONES, SECURITY, SOLAR];

export interface DemoAgent {
  readonly agent_id: string;
  /** How the agent introduces himself or herself. */
  readonly name: string;
  readonly team: string;
  /** 0 (new and careless) to 1 (the one to learn from). */
  readonly skill: number;
}

export const DEMO_AGENTS: readonly DemoAgent[] = [
  { agent_id: "maya.okafor", name: "Maya", team: "north", skill: 0.95 },
  { agent_id: "tom.bergstrom", name: "Tom", team: "north", skill: 0.62 },
  { agent_id: "leila.haddad", name: "Leila", team: "north", skill: 0.4 },
  { agent_id: "craig.dunne", name: "Craig", team: "north", skill: 0.14 },
  { agent_id: "priya.nair", name: "Priya", team: "south", skill: 0.9 },
  { agent_id: "jonas.weber", name: "Jonas", team: "south", skill: 0.7 },
  { agent_id: "ella.marsh", name: "Ella", team: "south", skill: 0.48 },
  { agent_id: "dean.novak", name: "Dean", team: "south", skill: 0.22 },
  { agent_id: "sofia.almeida", name: "Sofia", team: "key-accounts", skill: 0.86 },
  { agent_id: "henry.cho", name: "Henry", team: "key-accounts", skill: 0.78 },
  { agent_id: "ruth.adeyemi", name: "Ruth", team: "key-accounts", skill: 0.55 },
  { agent_id: "victor.lang", name: "Victor", team: "key-accounts", skill: 0.31 },
];

export const FIRST_NAMES: readonly string[] =
  "Alan Beatrice Carlos Diane Edward Farah Gareth Helen Imran Joanna Karl Louise Martin Nadia Oliver Paula Quentin Rachel Stefan Teresa Umar Vera Walter Xenia Yusuf Zoe Anton Brigid Colin Denise Erik Fiona Graham Hannah Ivan Judith Kevin Laura Monica Neil".split(
    " ",
  );

export const LAST_NAMES: readonly string[] =
  "Abbott Brandt Castillo Doyle Eriksen Fletcher Goodwin Hargreaves Ibrahim Jansen Kowalski Lindqvist Mercer Nakamura Osborne Petrov Quigley Rahman Sutton Thornton Underhill Vasquez Whitaker Yilmaz Ziegler Ashworth Bellamy Crawford Drummond Ellison".split(
    " ",
  );

export const COMPANY_NAMES: readonly string[] =
  "Alder Beacon Castle Dale Eastgate Foxley Greenfield Hollin Ironbridge Juniper Kestrel Langley Mersey Newhaven Oakridge Pennant Quayside Redwood Stonebridge Tideway Upton Valley Westbrook Yarrow Ashdown Brookside Copperfield Dunmore Elmwood Fairview".split(
    " ",
  );

export const BOSSES: readonly string[] = [
  "my partner",
  "the managing director",
  "our finance director",
  "my boss",
  "the owner",
  "the board",
  "my brother",
  "our operations director",
  "head office",
];

export const MONTHS: readonly string[] =
  "January February March April May June July August September October November December".split(" ");
export const DAYS: readonly string[] = "Monday Tuesday Wednesday Thursday Friday".split(" ");
