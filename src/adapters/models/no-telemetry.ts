/**
 * onnxruntime's binary gathers usage data by default: a database under the user's home, sent to its maker. Nothing may
 * leave this machine, so it is switched off before the library is loaded. It reads the environment of the process,
 * which only the main thread can change: whoever starts a thread that runs a model imports this file first.
 */
// oxlint-disable-next-line node/no-process-env -- the library knows no other switch
process.env["ORT_DISABLE_TELEMETRY"] = "1";
