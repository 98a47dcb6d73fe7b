// node dbos.mjs URL CASES AT_ONCE: runs workflows of five steps on DBOS, which keeps them in PostgreSQL.
import { DBOS } from "@dbos-inc/dbos-sdk";
import { closedLoop } from "./closed-loop.mjs";

const url = process.argv[2];
const [cases, atOnce] = process.argv.slice(3).map(Number);

const five = DBOS.registerWorkflow(
  async (number) => {
    let sum = number;
    for (let step = 0; step < 5; step++) {
      const before = sum;
      sum = await DBOS.runStep(async () => before + 1, { name: `step ${step}` });
    }
    return sum;
  },
  { name: "five" },
);
DBOS.setConfig({ logLevel: "warn", name: "bench", runAdminServer: false, systemDatabasePoolSize: 30, systemDatabaseUrl: url });
await DBOS.launch();
for (let number = 0; number < 20; number++) await five(number);
await closedLoop("DBOS", cases, atOnce, five);
await DBOS.shutdown();
process.exit(0);
