/** Where the settings say that the lake is. */
import { resolve } from "node:path";

export type LakePlace =
  | { readonly kind: "folder"; readonly path: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      readonly prefix: string;
      readonly endpoint: string;
      readonly region: string;
      readonly access_key: string;
      readonly secret_key: string;
    };

type Name =
  | "EARSHOT_LAKE_URL"
  | "EARSHOT_S3_ENDPOINT"
  | "EARSHOT_S3_REGION"
  | "EARSHOT_S3_ACCESS_KEY"
  | "EARSHOT_S3_SECRET_KEY";

/** null where there is to be none, or where something is wrong with it, which goes to `problems`. */
export function readLakePlace(text: (name: Name) => string | null, problems: string[]): LakePlace | null {
  const url = text("EARSHOT_LAKE_URL");
  if (url === null) return null;
  const path = /^file:(?:\/\/)?(.+)$/.exec(url)?.[1];
  if (path !== undefined) return { kind: "folder", path: resolve(path) };
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/([\w./=-]*))?$/.exec(url) ?? [];
  if (bucket === undefined) {
    // The rest of a URL may hold a password.
    problems.push(`EARSHOT_LAKE_URL must be file:PATH or s3://BUCKET/PREFIX, not ${url.split(":")[0]}:…`);
    return null;
  }
  const region = text("EARSHOT_S3_REGION") ?? "us-east-1";
  const endpoint = text("EARSHOT_S3_ENDPOINT") ?? `https://s3.${region}.amazonaws.com`;
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint))
    problems.push("EARSHOT_S3_ENDPOINT must be an http:// or https:// address");
  const [access_key, secret_key] = [text("EARSHOT_S3_ACCESS_KEY") ?? "", text("EARSHOT_S3_SECRET_KEY") ?? ""];
  if (access_key === "" || secret_key === "")
    problems.push("EARSHOT_S3_ACCESS_KEY and EARSHOT_S3_SECRET_KEY must be set with a lake in S3");
  return { kind: "s3", bucket, prefix: prefix.replaceAll(/^\/+|\/+$/g, ""), endpoint, region, access_key, secret_key };
}
