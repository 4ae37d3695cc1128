/** deploy/kubernetes: checked by the schemas of Kubernetes, and each claim against the application. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readConfig } from "../../src/config.ts";
import { SETTINGS } from "../../src/settings.ts";
import { PROCESS_ROLES } from "../../src/core/process-roles.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { containerStages, pairs, ROOT } from "../support/deploy.ts";
import {
  type Container,
  kustomize,
  type Manifest,
  manifestChecker,
  type PodSpec,
  readManifests,
} from "../support/manifests.ts";
import { requirement } from "../support/requirements.ts";

const schemas = requirement("k8s");
const kustomizer = requirement("kustomize");
const FOLDER = join(ROOT, "deploy/kubernetes");
const files = readdirSync(join(FOLDER, "base")).filter((name) => name !== "kustomization.yaml");
const read = (path: string): Manifest[] => readManifests(readFileSync(join(FOLDER, path), "utf8"));
const manifests = [...files.flatMap((name) => read(`base/${name}`)), ...read("example/secret.yaml")];
const ofKind = (kind: string): Manifest[] => manifests.filter((manifest) => manifest.kind === kind);
const one = (kind: string, name: string): Manifest => {
  const found = ofKind(kind).find((manifest) => manifest.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
const paths = Object.entries(
  (JSON.parse(readFileSync(join(ROOT, "openapi.json"), "utf8")) as { paths: Record<string, Record<string, Operation>> })
    .paths,
);
interface Operation {
  readonly tags?: readonly string[];
}

const names = (all: readonly Manifest[]): string[] =>
  all.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted();

const pods = [...ofKind("Deployment"), ...ofKind("Job")].map((manifest) => ({
  name: manifest.metadata.name,
  kind: manifest.kind,
  labels: manifest.spec.template.metadata.labels as Record<string, string>,
  pod: manifest.spec.template.spec as PodSpec,
}));
const containerOf = (pod: PodSpec): Container => pod.containers[0] as Container;

/** Work that waits for 42 s. */
const waiting = async () => ({ ready: 1, running: 0, dead: 0, oldest_ms: 42_000 });

/** The variables that a container starts with. */
function variables(container: Container): Record<string, string> {
  const given: Record<string, string> = {};
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef) Object.assign(given, one("ConfigMap", configMapRef.name).data);
    if (secretRef) Object.assign(given, one("Secret", secretRef.name).stringData);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const key = valueFrom?.secretKeyRef;
    given[name] = value ?? one("Secret", key?.name ?? "").stringData?.[key?.key ?? ""] ?? "";
  }
  return given;
}

describe.skipIf(schemas === null)("the schemas of Kubernetes", () => {
  const problems = schemas === null ? () => [] : manifestChecker(schemas);

  test("find nothing", () => {
    expect(manifests.length).toBeGreaterThan(15);
    for (const manifest of manifests) {
      expect([manifest.kind, manifest.metadata.name, problems(manifest)]).toEqual([
        manifest.kind,
        manifest.metadata.name,
        [],
      ]);
    }
  });

  test.each([
    ["a word for a number", "worker.yaml", "maxReplicas: 20", "maxReplicas: twenty"],
    ["a field that there is not", "api.yaml", "readinessProbe:", "readynessProbe:"],
    ["a field in the wrong place", "relay.yaml", "readOnlyRootFilesystem: true", "runAsGroup: { id: 1 }"],
    ["a version that there is not", "worker.yaml", "autoscaling/v2", "autoscaling/v2beta2"],
    ["a list for one", "network-policy.yaml", "podSelector: { matchLabels", "podSelector: [{ matchLabels }]\n  x: { y"],
  ])("find %s", (_, file, from, to) => {
    const text = readFileSync(join(FOLDER, "base", file), "utf8");
    expect(text).toContain(from);
    expect(readManifests(text.replace(from, to)).flatMap(problems)).not.toEqual([]);
  });

  test.skipIf(kustomizer === null)(
    "find nothing in what kustomize makes of the example, and nothing is left out",
    () => {
      const made = kustomize(kustomizer as string, join(FOLDER, "example"));
      expect(made.flatMap(problems)).toEqual([]);
      expect(names(made)).toEqual(names(manifests));
      const images = made.flatMap((m) => (m.spec?.template?.spec as PodSpec | undefined)?.containers ?? []);
      expect(new Set(images.map(({ image }) => image))).toEqual(new Set(["registry.example.com/earshot:0.1.0"]));
    },
  );

  test.skipIf(kustomizer === null)(
    "find nothing in what kustomize makes with Kafka, which the relay alone is told of",
    () => {
      // Kustomize takes relative folders alone.
      const folder = mkdtempSync(join(FOLDER, "with-kafka-"));
      try {
        const text = readFileSync(join(FOLDER, "example/kustomization.yaml"), "utf8");
        expect(text).toContain("#components:");
        writeFileSync(join(folder, "kustomization.yaml"), text.replace("#components:", "components:"));
        cpSync(join(FOLDER, "example/secret.yaml"), join(folder, "secret.yaml"));
        const made = kustomize(kustomizer as string, folder);
        expect(made.flatMap(problems)).toEqual([]);
        const told = made.filter((manifest) => JSON.stringify(manifest).includes("EARSHOT_KAFKA_BROKERS"));
        expect(names(told)).toEqual(["Deployment earshot-relay"]);
        for (const { name } of (told[0] as Manifest).spec.template.spec.containers[0].env as { name: string }[]) {
          expect(SETTINGS.map((setting): string => setting.name)).toContain(name);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

describe("the manifests", () => {
  test("each role is there, with what it may cost an eviction", () => {
    const roles = ofKind("Deployment").map(({ spec }) => containerOf(spec.template.spec).args);
    expect(roles).toEqual(PROCESS_ROLES.toSorted().map((role) => ["serve", "--role", role]));
    for (const { name, kind, labels } of pods) {
      const budgets = ofKind("PodDisruptionBudget").filter(({ spec }) => includes(labels, spec.selector.matchLabels));
      expect([name, budgets.length]).toEqual([name, kind === "Job" ? 0 : 1]);
    }
  });

  test.each(pods)("$name has settings that exist", ({ name, pod }) => {
    const { MIGRATE_STORE_URL, ...settings } = variables(containerOf(pod));
    expect(MIGRATE_STORE_URL).toMatch(/^postgres:/);
    expect(Object.keys(settings).filter((name) => !name.startsWith("EARSHOT_"))).toEqual([]);
    const config = readConfig(settings);
    expect(config.warnings).toEqual([]);
    expect(config.postgres?.url).toContain(name === "earshot-migrate" ? "@postgres." : "@pgbouncer.");
    // Its service names would come as variables that are no settings.
    expect(pod.enableServiceLinks).toBe(false);
  });

  test.each(pods)("$name runs as nobody in particular, on a system that it can only read", ({ pod }) => {
    const user = Number(/USER (\d+)/.exec(readFileSync(join(ROOT, "deploy/Containerfile"), "utf8"))?.[1]);
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: user });
    expect(containerOf(pod).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  test.each(pods.filter(({ kind }) => kind === "Deployment"))(
    "$name is asked where it answers, and has time to end",
    ({ pod }) => {
      const container = containerOf(pod);
      const image = pairs(
        containerStages()
          .get("runtime-fetched")
          ?.findLast(({ name }) => name === "ENV")?.rest ?? "",
      );
      const settings = variables(container);
      expect([settings["EARSHOT_PORT"], settings["EARSHOT_HOST"]]).toEqual([
        image["EARSHOT_PORT"],
        image["EARSHOT_HOST"],
      ]);
      expect(container.ports).toEqual([{ name: "http", containerPort: Number(settings["EARSHOT_PORT"]) }]);
      for (const probe of ["startup", "liveness", "readiness"] as const) {
        const { path, port } = (container[`${probe}Probe`] as NonNullable<Container[`${string}Probe`]>).httpGet;
        expect(paths.map(([known]) => known)).toContain(path);
        expect([probe, path, port]).toEqual([probe, probe === "readiness" ? "/health/ready" : "/health", "http"]);
      }
      // The ten seconds that a shutdown takes at most, after what preStop waits.
      const wait = container.lifecycle?.preStop.sleep.seconds ?? 0;
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(wait + 10);
    },
  );

  test("services, ingresses and autoscalers name what is there", () => {
    for (const { spec, metadata } of ofKind("Service")) {
      const chosen = pods.filter(({ labels }) => includes(labels, spec.selector));
      expect(chosen.map(({ name }) => name)).toEqual([metadata.name]);
      expect(spec.ports).toEqual([{ name: "http", port: 80, targetPort: "http" }]);
    }
    for (const { spec } of ofKind("Ingress")) {
      for (const { path, backend } of spec.rules[0].http.paths) {
        expect([path, one("Service", backend.service.name).spec.ports[0].name]).toEqual([
          path,
          backend.service.port.name,
        ]);
      }
    }
    for (const { spec } of ofKind("HorizontalPodAutoscaler")) {
      const { kind, name } = spec.scaleTargetRef;
      // Two would set the number of replicas in turn.
      expect([name, one(kind, name).spec.replicas]).toEqual([name, undefined]);
      const budget = one("PodDisruptionBudget", name).spec;
      if (budget.minAvailable !== undefined) expect(budget.minAvailable).toBeLessThan(spec.minReplicas);
    }
  });

  test("workers are scaled by a metric that every process has, through the adapter's rule", async () => {
    const { metric, target } = one("HorizontalPodAutoscaler", "earshot-worker").spec.metrics[0].external;
    const { rules } = parse(readFileSync(join(FOLDER, "prometheus/adapter.yaml"), "utf8")) as {
      rules: { external: { seriesQuery: string; name: { matches: string; as: string }; metricsQuery: string }[] };
    };
    const [rule] = rules.external;
    const page = await createMetrics({ depth: waiting }).scrape();
    const series = /^(\w+)\{/.exec(rule?.seriesQuery ?? "")?.[1] ?? "";
    expect(page).toMatch(new RegExp(`^${series} 42$`, "m"));
    expect([rule?.name.as, new RegExp(rule?.name.matches ?? "x").test(series)]).toEqual([metric.name, true]);
    expect(target).toEqual({ type: "Value", value: "30" });
  });

  test("Prometheus asks where the metrics are", () => {
    const [job] = parse(readFileSync(join(FOLDER, "prometheus/scrape.yaml"), "utf8")) as {
      metrics_path: string;
      relabel_configs: { source_labels?: string[]; regex?: string; action?: string }[];
    }[];
    expect(readFileSync(join(ROOT, "src/http/metrics.ts"), "utf8")).toContain(`"${job?.metrics_path}"`);
    const kept = job?.relabel_configs.filter(({ action }) => action === "keep").map(({ regex }) => regex);
    expect(kept).toEqual([pods[0]?.labels["app.kubernetes.io/name"], "http"]);
  });

  test("the ingresses send each address to its role, and leave sockets and imports their time", () => {
    const routes = ofKind("Ingress").flatMap(({ spec, metadata }) =>
      (spec.rules[0].http.paths as { path: string; pathType: string; backend: { service: { name: string } } }[]).map(
        ({ path, pathType, backend }) => ({ path, pathType, to: backend.service.name, ingress: metadata }),
      ),
    );
    // As ingress-nginx does it: the whole address, else the longest expression that fits.
    const routeOf = (path: string) =>
      routes.find((route) => route.pathType === "Exact" && route.path === path) ??
      routes
        .toSorted((a, b) => b.path.length - a.path.length)
        .find((route) => route.pathType !== "Exact" && new RegExp(`^${route.path}`).test(path));
    for (const [path, operations] of paths) {
      const realtime = Object.values(operations).some(({ tags }) => tags?.includes("live"));
      const asked = path.replaceAll(/\{\w+\}/g, "id-1");
      expect([path, routeOf(asked)?.to]).toEqual([path, realtime ? "earshot-realtime" : "earshot-api"]);
    }
    expect(routeOf("/socket.io/")?.to).toBe("earshot-realtime");
    expect(routeOf("/live/x")?.to).toBe("earshot-api");
    const option = (path: string, name: string) =>
      routeOf(path)?.ingress.annotations?.[`nginx.ingress.kubernetes.io/${name}`];
    expect(Number(option("/ws/feed", "proxy-read-timeout"))).toBeGreaterThan(60);
    expect(option("/api/v1/stream/feed", "proxy-buffering")).toBe("off");
    expect(option("/api/v1/calls/import", "proxy-body-size")).toBe("0");
    expect(option("/api/v1/calls/bulk", "proxy-body-size")).toBe("64m");
  });
});

/** Whether labels have all that a selector asks for. */
function includes(labels: Record<string, string>, asked: Record<string, string>): boolean {
  return Object.entries(asked).every(([name, value]) => labels[name] === value);
}
