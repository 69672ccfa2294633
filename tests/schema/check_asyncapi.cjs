// Reads an AsyncAPI document with the official parser, which does not look at version 3's examples,
// so Ajv does. Writes what is wrong as JSON. `node check_asyncapi.cjs FILE`.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");
const { default: Ajv } = require("ajv");
const { default: addFormats } = require("ajv-formats");

const ERROR = 0;

async function main(text) {
  const { document, diagnostics } = await new Parser().parse(text);
  const errors = diagnostics
    .filter((one) => one.severity === ERROR)
    .map((one) => `${one.path.join(".")}: ${one.message}`);
  const channels = document ? document.channels().all().map((one) => one.address()) : [];
  const operations = document ? document.operations().all().map((one) => one.id()) : [];
  process.stdout.write(
    JSON.stringify({ errors, channels, operations, examples: wrongExamples(JSON.parse(text)) }),
  );
}

function wrongExamples(document) {
  const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  ajv.addSchema(document, "document");
  const wrong = [];
  for (const [name, message] of Object.entries(document.components.messages)) {
    const validate = ajv.compile({ $ref: `document${message.payload.$ref}` });
    for (const example of message.examples) {
      if (!validate(example.payload)) {
        wrong.push(...validate.errors.map((one) => `${name}${one.instancePath}: ${one.message}`));
      }
    }
  }
  return wrong;
}

main(readFileSync(process.argv[2], "utf8"));
