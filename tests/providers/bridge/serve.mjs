// Bundles the worker and serves it under workerd; says its address on a line, and ends when its input is closed.
import { createRequire } from "node:module";
import path from "node:path";
const [folder, executor, key] = process.argv.slice(2);
const require = createRequire(path.join(folder, "package.json"));
const { build } = require("esbuild");
const { Miniflare } = require("miniflare");
const built = await build({
  entryPoints: [path.join(folder, "worker.mjs")],
  bundle: true,
  write: false,
  format: "esm",
  target: "es2022",
  conditions: ["workerd", "worker", "browser"],
  external: ["cloudflare:*", "node:*"],
  absWorkingDir: folder,
});
const mf = new Miniflare({
  modules: true,
  script: built.outputFiles[0].text,
  compatibilityDate: "2026-07-01",
  compatibilityFlags: ["nodejs_compat"],
  durableObjects: {
    Sandbox: { className: "Sandbox", useSQLite: true },
    WarmPool: { className: "WarmPool", useSQLite: true },
  },
  bindings: { SANDBOX_API_KEY: key, EXECUTOR: executor },
  host: "127.0.0.1",
  port: 0,
});
process.stdout.write(`${await mf.ready}\n`);
process.stdin.resume();
process.stdin.on("end", () => mf.dispose().then(() => process.exit(0)));
