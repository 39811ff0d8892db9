// What a client does with Tenantry, through types that openapi-typescript generated and the client of openapi-fetch.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./tenantry.js";

const { TENANTRY_URL: baseUrl, TENANTRY_KEY: key } = process.env;
assert(baseUrl && key, "set TENANTRY_URL and TENANTRY_KEY");
const tenantry = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

// Create.
const { data: brand } = await tenantry.POST("/api/brands", { body: { name: "Acme", emailFromName: "Acme" } });
assert(brand);
const { data: workspace } = await tenantry.POST("/api/workspaces", {
  body: { name: "Nordics, TypeScript", brandId: brand.id, country: "SE", workspaceInstructions: "Prices include VAT." },
});
assert(workspace);
assert.equal(workspace.currency, "SEK");
const path = { workspaceId: workspace.id };

// Read.
const { data: read, response } = await tenantry.GET("/api/workspaces/{workspaceId}", { params: { path } });
assert.deepEqual(read, workspace);
const etag = response.headers.get("ETag");
assert(etag);

// Read every page of a list.
for (const name of ["Iberia", "Benelux"]) {
  const { data } = await tenantry.POST("/api/workspaces", { body: { name, brandId: brand.id } });
  assert(data);
}
const names: string[] = [];
let cursor: string | undefined;
do {
  const query = { brandId: brand.id, sort: "name" as const, limit: 2, cursor };
  const { data: page } = await tenantry.GET("/api/workspaces", { params: { query } });
  assert(page);
  names.push(...page.data.map((each) => each.name));
  cursor = page.nextCursor;
} while (cursor);
assert.deepEqual(names, ["Benelux", "Iberia", "Nordics, TypeScript"]);

// Change only what nobody else has changed. `null` clears a field.
const change = { params: { path, header: { "If-Match": etag } }, body: { workspaceInstructions: null } };
const { data: changed } = await tenantry.PATCH("/api/workspaces/{workspaceId}", change);
assert(changed);
assert.equal(changed.workspaceInstructions, null);
assert.equal(changed.name, "Nordics, TypeScript");
const { error: outdated } = await tenantry.PATCH("/api/workspaces/{workspaceId}", change);
assert.equal(outdated?.code, "precondition_failed");

// Errors are typed.
const { error: invalid } = await tenantry.POST("/api/workspaces", { body: { name: "", country: "UK" } });
assert.equal(invalid?.status, 422);
assert.deepEqual(
  invalid.fields?.map(({ field, code }) => [field, code]).sort(),
  [["country", "unknown_country"], ["name", "empty"]],
);

// Delete, and restore.
const { response: deleted } = await tenantry.DELETE("/api/workspaces/{workspaceId}", { params: { path } });
assert.equal(deleted.status, 204);
const { error: missing } = await tenantry.GET("/api/workspaces/{workspaceId}", { params: { path } });
assert.equal(missing?.code, "not_found");
const { data: restored } = await tenantry.POST("/api/workspaces/{workspaceId}/restore", { params: { path } });
assert.equal(restored?.name, "Nordics, TypeScript");

// Record usage, and read it.
const { data: entry } = await tenantry.POST("/api/workspaces/{workspaceId}/usage", {
  params: { path },
  body: { seconds: 95, reference: "call-1" },
});
assert(entry);
const { data: usage } = await tenantry.GET("/api/workspaces/{workspaceId}/usage", { params: { path } });
const month = usage?.months.find(({ month }) => month === entry.month?.month);
assert.equal(month?.usedMinutes, 2);

// Read the audit log.
const { data: events } = await tenantry.GET("/api/audit-events", {
  params: { query: { subjectId: workspace.id, sort: "occurredAt" } },
});
assert.deepEqual(
  events?.data.map(({ action }) => action),
  ["workspace.create", "workspace.update", "workspace.delete", "workspace.restore"],
);
assert.equal(events?.data[1]?.changes.workspaceInstructions?.before, "Prices include VAT.");

// The CallFluent dialect has the same workspaces, by number.
const { data: all } = await tenantry.GET("/api/workspace/get-all");
const number = all?.workspaces.find(({ name }) => name === "Nordics, TypeScript")?.id;
assert(number);
const { data: info } = await tenantry.GET("/api/workspace/get/{id}", { params: { path: { id: number } } });
assert.equal(info?.data.usedMins, 2);
const { error: unknown } = await tenantry.GET("/api/workspace/get/{id}", { params: { path: { id: 999_999 } } });
assert.equal(unknown?.status, false);
