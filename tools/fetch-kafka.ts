/**
 * `node tools/fetch-kafka.ts`: the jars of a Kafka broker from Maven Central into .cache/kafka, for tests and benches.
 * Needs mvn. Does nothing where they are there already.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const VERSION = "4.1.0";
const CACHE = resolve(import.meta.dirname, "../.cache");
const FOLDER = join(CACHE, `kafka-${VERSION}`);

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>earshot</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
  </dependencies>
</project>
`;

if (!existsSync(FOLDER)) {
  mkdirSync(CACHE, { recursive: true });
  const partial = mkdtempSync(join(CACHE, "kafka-partial-"));
  try {
    writeFileSync(join(partial, "pom.xml"), POM);
    const copy = ["-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${join(partial, "lib")}`];
    const { status, error } = spawnSync("mvn", copy, { cwd: partial, stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) throw new Error(`mvn could not fetch Kafka ${VERSION}`, { cause: error });
    // Whole or not there.
    renameSync(join(partial, "lib"), FOLDER);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
console.log(FOLDER);
