// node restate.mjs CASES AT_ONCE: asks a Restate server for cases of five steps.
import http from "node:http";
import { closedLoop } from "./closed-loop.mjs";

const [cases, atOnce] = process.argv.slice(2).map(Number);
const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce });

function call(number) {
  return new Promise((done, failed) => {
    const body = JSON.stringify(number);
    const headers = { "content-type": "application/json", "content-length": body.length };
    const options = { agent, headers, host: "127.0.0.1", method: "POST", path: "/Bench/five", port: 18080 };
    const request = http.request(options, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => (response.statusCode === 200 ? done(Number(text)) : failed(new Error(text))));
    });
    request.on("error", failed);
    request.end(body);
  });
}

await closedLoop("Restate", cases, atOnce, call);
agent.destroy();
