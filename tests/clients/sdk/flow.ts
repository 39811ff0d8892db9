// What a program does with the npm package, in a project that has nothing else.
import assert from "node:assert/strict";
import { createTenantry, type Schemas } from "tenantry-client";

const { TENANTRY_URL: baseUrl, TENANTRY_KEY: key } = process.env;
assert(baseUrl && key, "set TENANTRY_URL and TENANTRY_KEY");
const tenantry = createTenantry({ baseUrl, key });

const { data: me } = await tenantry.GET("/api/me");
assert(me);
const { data: workspace } = await tenantry.POST("/api/workspaces", { body: { name: "Packed", country: "SE" } });
assert(workspace);
const same: Schemas["Workspace"] = workspace;
assert.equal(same.currency, "SEK");
assert.equal(same.tenantId, me.tenant.id);

const { error, response } = await tenantry.GET("/api/workspaces/{workspaceId}", {
  params: { path: { workspaceId: "0193a4c2-0000-7000-8000-000000000000" } },
});
assert.equal(error?.code, "not_found");
const entry = await fetch(new URL(error.type, response.url));
assert.equal(entry.status, 200);
assert((await entry.text()).includes('id="not_found"'));
