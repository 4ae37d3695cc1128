/** The model of the settings, served or for one command. */
import { availableParallelism } from "node:os";
import { benchModel, checkModel } from "../adapters/models/check-model.ts";
import { findNpm } from "../adapters/models/find-npm.ts";
import { openModels } from "../adapters/models/open-models.ts";
import type { OpenedModels } from "../adapters/models/open-models.ts";
import { pinnedFolder } from "../adapters/models/pinned-model.ts";
import { pullModel } from "../adapters/models/pull-model.ts";
import type { PullProgress } from "../adapters/models/pull-model.ts";
import type { Config } from "../config.ts";
import type { ProcessRoles } from "../core/process-roles.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../observe/logger.ts";

/** The folder the settings name, or the pinned model's; null where there is to be no model. */
export function modelFolder(config: Config): string | null {
  switch (config.model.kind) {
    case "pinned":
      return pinnedFolder(config.dataDir);
    case "folder":
      return config.model.path;
    case "statistical":
      return null;
  }
}

/** `models pull`: the pinned model's folder. */
export function pullPinnedModel(config: Config, onProgress: (p: PullProgress) => void): Promise<string> {
  return pullModel({ dataDir: config.dataDir, onProgress, npmCommand: findNpm(config.npmEnvironment) });
}

function chosenFolder(config: Config): string {
  const folder = modelFolder(config);
  if (folder === null)
    throw new AppError("models_unavailable", "EARSHOT_MODEL_DIR is statistical: there is no model to run");
  return folder;
}

/** `models check`: files, and agreement of the graph that runs with the one that was shipped. */
export async function checkModelFolder(config: Config): ReturnType<typeof checkModel> {
  return checkModel(chosenFolder(config));
}

/** `models bench`: speed of each graph by length. */
export async function benchModelFolder(config: Config): ReturnType<typeof benchModel> {
  return benchModel(chosenFolder(config));
}

/**
 * Workers score calls, realtime scores turns of calls that go on, and api needs the vector of what is searched for, which
 * one thread makes. A relay has no use for the model.
 */
export function startModels(
  config: Config,
  roles: ProcessRoles,
  log: Log,
  onProgress: (p: PullProgress) => void,
): OpenedModels {
  const scores = roles.has("worker") || roles.has("realtime");
  const needed = scores || roles.has("api");
  return openModels({
    modelDir: needed ? modelFolder(config) : null,
    dataDir: config.dataDir,
    threads: config.modelThreads ?? (scores ? Math.min(availableParallelism(), 8) : 1),
    autoPull: needed && config.model.kind === "pinned",
    npmCommand: findNpm(config.npmEnvironment),
    onProgress,
    log: (level, message) => log[level](message),
  });
}
