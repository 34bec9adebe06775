// Reads an AsyncAPI document with the official parser: one JSON line {document, diagnostics} on standard output.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const [folder, file] = process.argv.slice(2);
const { Parser } = createRequire(`${folder}/package.json`)("@asyncapi/parser");

new Parser().parse(readFileSync(file, "utf8")).then(({ document, diagnostics }) => {
  const channels = document ? document.channels().all().map((c) => c.address()) : [];
  const messages = document ? document.messages().all().map((m) => m.id()) : [];
  const said = diagnostics.map(({ severity, code, path, message }) => ({ severity, code, path, message }));
  console.log(JSON.stringify({ valid: document !== undefined, channels, messages, diagnostics: said }));
});
