// The vendor's bridge as a user deploys it, with a stand-in for the container: its programs run where EXECUTOR says.
import { DurableObject } from "cloudflare:workers";
import { bridge } from "@cloudflare/sandbox/bridge";
export { WarmPool } from "@cloudflare/sandbox/bridge";
export default bridge({});

export class Sandbox extends DurableObject {
  url(path) {
    return `${this.env.EXECUTOR}/${this.ctx.id.toString()}/${path}`;
  }
  async startAndWaitForPorts() {}
  async renewActivityTimeout() {}
  async stop() {}
  async getState() {
    return { status: "running" };
  }
  async destroy() {
    await fetch(this.url("box"), { method: "DELETE" });
  }
  async exec(command, options) {
    return this.execWithSessionToken(command, "", options);
  }
  async execWithSessionToken(command, token, options) {
    const body = JSON.stringify({ command, cwd: options?.cwd ?? "/workspace" });
    const response = await fetch(this.url("exec"), { method: "POST", body });
    const written = { stdout: "", stderr: "" };
    const decoder = new TextDecoder();
    let held = "";
    for await (const piece of response.body) {
      const lines = (held + decoder.decode(piece, { stream: true })).split("\n");
      held = lines.pop();
      for (const line of lines) {
        const told = JSON.parse(line);
        if ("exitCode" in told) {
          const result = { ...written, exitCode: told.exitCode, success: told.exitCode === 0 };
          if (options?.onComplete) await options.onComplete(result);
          return result;
        }
        if (options?.onOutput) await options.onOutput(told.stream, told.data);
        else written[told.stream] += told.data;
      }
    }
    throw new Error("the container went away");
  }
  async writeFile(path, content) {
    const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
    const response = await fetch(this.url(`file?path=${encodeURIComponent(path)}`), { method: "PUT", body: bytes });
    if (!response.ok) throw new Error(`could not write ${path}`);
    return { success: true };
  }
  async readFileStream(path) {
    const response = await fetch(this.url(`file?path=${encodeURIComponent(path)}`));
    if (!response.ok) throw Object.assign(new Error(`could not read ${path}`), { code: "FILE_NOT_FOUND" });
    const bytes = new Uint8Array(await response.arrayBuffer());
    let text = "";
    for (let i = 0; i < bytes.length; i += 6144) text += btoa(String.fromCharCode(...bytes.subarray(i, i + 6144)));
    const events = [
      { type: "metadata", mimeType: "application/octet-stream", size: bytes.length, isBinary: true, encoding: "base64" },
      { type: "chunk", data: text },
      { type: "complete", bytesRead: bytes.length },
    ];
    return new Response(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")).body;
  }
}
