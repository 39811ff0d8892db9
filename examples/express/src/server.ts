// A service with one route that Tenantry guards, and one that receives Tenantry's webhooks.
import type { AddressInfo } from "node:net";
import express from "express";
import { Webhook } from "standardwebhooks";
import { guard } from "./tenantry.js";

const { WEBHOOK_SECRET, PORT = "3000" } = process.env;
if (!WEBHOOK_SECRET) throw new Error("WEBHOOK_SECRET is not set");
const webhook = new Webhook(WEBHOOK_SECRET);

const app = express();

app.get("/workspaces/:workspaceId/conversations", guard("conversations:read"), (request, response) => {
  // Your data is stored under the tenant: the credential says which one, and never the caller.
  const { tenant } = response.locals.caller;
  response.json({ tenantId: tenant.id, workspaceId: request.params.workspaceId, conversations: [] });
});

// The ids of the events that arrived. Yours belong into a table with a unique key, in the transaction that stores the event.
const received = new Set<string>();

// The signature is that of the raw body, so this route has no express.json().
app.post("/webhooks", express.raw({ type: "application/json", limit: "1mb" }), (request, response) => {
  let event: { id: string; type: string };
  try {
    event = webhook.verify(request.body as Buffer, request.headers as Record<string, string>) as typeof event;
  } catch {
    response.status(400).json({ error: "The signature is not valid." });
    return;
  }
  // Delivery is at least once: the same event can come again.
  console.log(received.has(event.id) ? "again" : "received", event.type, event.id);
  received.add(event.id);
  response.sendStatus(204);
});

const server = app.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
