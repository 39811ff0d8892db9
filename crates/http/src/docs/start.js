// Everything the page needs comes from this service: no fonts, no proxy, no telemetry and no assistant from elsewhere.
const methods = ["get", "post", "patch", "delete"];

Scalar.createApiReference("#reference", {
  url: "/openapi.json",
  servers: [{ url: window.location.origin, description: "This service" }],
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  externalUrls: { dashboardUrl: "", registryUrl: "", proxyUrl: "", apiBaseUrl: "" },
  hideClientButton: true,
  showDeveloperTools: "never",
  persistAuth: false,
  authentication: { preferredSecurityScheme: "apiKey" },
  defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
  // The document's own order: a workspace begins with its id, and ends with its timestamps.
  orderSchemaPropertiesBy: "preserve",
  orderRequiredPropertiesFirst: false,
  operationsSorter: (a, b) => a.path.localeCompare(b.path) || methods.indexOf(a.method.toLowerCase()) - methods.indexOf(b.method.toLowerCase()),
  favicon: "/docs/icon.svg",
  metaData: { title: "Tenantry API", description: "Tenants, brands and workspaces: the API reference." },
  customCss: `
    :root { --scalar-font: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
    .light-mode { --scalar-color-accent: #1f4b99; }
    .dark-mode { --scalar-color-accent: #8ab4f8; }
  `,
});
