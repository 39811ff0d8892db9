import type { Client, ClientOptions } from "openapi-fetch";
import type { components, operations, paths } from "./schema.js";

export type { components, operations, paths };

/** The objects of the API by their names: `Schemas["Workspace"]`. */
export type Schemas = components["schemas"];

/** A client of the whole API. */
export type Tenantry = Client<paths>;

/** Makes a client that sends its requests with this API key or access token. */
export declare const createTenantry: (options: ClientOptions & { baseUrl: string; key: string }) => Tenantry;
