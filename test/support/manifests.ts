/** Kubernetes manifests, and what the schemas of Kubernetes say of them. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parseAllDocuments } from "yaml";

export interface Container {
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: SecretKey }[];
  readonly envFrom?: readonly { readonly configMapRef?: Named; readonly secretRef?: Named }[];
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly securityContext?: object;
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string; readonly port: string } };
}

interface Named {
  readonly name: string;
}

interface SecretKey {
  readonly secretKeyRef: { readonly name: string; readonly key: string };
}

export interface PodSpec {
  readonly terminationGracePeriodSeconds?: number;
  readonly enableServiceLinks?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: object;
  readonly containers: readonly Container[];
}

/** Any manifest; what is read of it depends on its kind. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- each kind has its own
  readonly spec?: any;
}

/** All documents of a text. @throws what is not YAML */
export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    const [problem] = document.errors;
    if (problem) throw problem;
    return document.toJS() as Manifest;
  });
}

/** What kustomize makes of a folder. */
export function kustomize(program: string, folder: string): Manifest[] {
  const { status, stdout, stderr } = spawnSync(program, ["build", folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return readManifests(stdout);
}

/** The schemas name each other so. */
const idOf = (name: string): string => `file:///api/${name}`;

/**
 * What is wrong with a manifest, empty where nothing is: unknown fields are. `folder`: strict schemas, as
 * `requirement("k8s")` found them.
 */
export function manifestChecker(folder: string): (manifest: Manifest) => string[] {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const read = (name: string) => ({
    ...(JSON.parse(readFileSync(join(folder, name), "utf8")) as object),
    $id: idOf(name),
  });
  ajv.addSchema(read("_definitions.json"));
  return (manifest) => {
    // apps/v1 is apps-v1, networking.k8s.io/v1 is networking-v1.
    const api = manifest.apiVersion.replace(/^([^./]*)(?:\.[^/]*)?\//, "$1-");
    const name = `${manifest.kind.toLowerCase()}-${api}.json`;
    if (!existsSync(join(folder, name))) return [`there is no ${manifest.apiVersion} ${manifest.kind}`];
    const validate = ajv.getSchema(idOf(name)) ?? ajv.compile(read(name));
    if (validate(manifest)) return [];
    return (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
  };
}
