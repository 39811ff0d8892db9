// Everything the page needs comes from this service: no fonts, no proxy, no telemetry and no assistant from elsewhere.
const methods = ["get", "post", "put", "patch", "delete"];
const rank = ({ method }) => methods.indexOf(method.toLowerCase());

// Scalar fills in every filter that has an example, and sends it. A list would then seem to lack what the example does not match.
const withoutFilters = (document) => {
  const operations = Object.values(document.paths).flatMap(Object.values);
  const parameters = operations.flatMap((operation) => operation.parameters ?? []);
  for (const parameter of [...parameters, ...Object.values(document.components.parameters)]) {
    if (parameter.in === "query" && !parameter.required) {
      delete parameter.example;
      delete parameter.schema?.example;
    }
  }
  return document;
};

const content = withoutFilters(await (await fetch("openapi.json")).json());

document.getElementById("loading").remove();
Scalar.createApiReference("#reference", {
  // From a function: Scalar would watch every field of an object.
  content: () => content,
  // Wherever the page was opened: a proxy may publish the service under a path.
  servers: [{ url: new URL(".", window.location.href).href.replace(/\/$/, ""), description: "This service" }],
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
  operationsSorter: (a, b) => a.path.localeCompare(b.path) || rank(a) - rank(b),
  metaData: { title: "Tenantry API", description: "Tenants, brands and workspaces: the API reference." },
  // Scalar's own grey and some of its method colours are too pale: these have a contrast of 4.5 or more.
  customCss: `
    :root { --scalar-font: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
    .light-mode {
      --scalar-color-accent: #1f4b99;
      --scalar-color-3: #6a6a6a;
      --scalar-color-green: #00734a;
      --scalar-color-yellow: #855d00;
      --scalar-color-orange: #a84300;
      --scalar-color-red: #c80000;
    }
    .dark-mode { --scalar-color-accent: #8ab4f8; --scalar-color-3: #909090; --scalar-color-red: #ff6b6b; }
  `,
});
