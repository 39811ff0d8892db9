// Everything the page needs comes from this service: no fonts, no proxy, no telemetry from elsewhere.
Scalar.createApiReference("#reference", {
  url: "/openapi.json",
  servers: [{ url: window.location.origin, description: "This service" }],
  theme: "default",
  layout: "modern",
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
  persistAuth: false,
  defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
  authentication: { preferredSecurityScheme: "apiKey" },
});
