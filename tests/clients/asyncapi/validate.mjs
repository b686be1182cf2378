// Whether the document is one for the parser that everybody's AsyncAPI tools use. Run by `./dev test`:
// node validate.mjs FOLDER-OF-node_modules DOCUMENT
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [, , packages, file] = process.argv;
const { Parser, fromFile } = createRequire(join(packages, 'node_modules', '_'))('@asyncapi/parser');

const { document, diagnostics } = await fromFile(new Parser(), file).parse();
for (const { severity, code, message, path } of diagnostics) {
  console.error(`${['error', 'warning', 'information', 'hint'][severity]} ${path.join('/')}: ${message} (${code})`);
}
// A warning fails as well: what the next version of the parser refuses, it warns of first.
if (!document || diagnostics.some(({ severity }) => severity <= 1)) process.exit(1);

const counted = [
  `${document.operations().length} operations`,
  `${document.channels().length} channels`,
  `${document.components().messages().length} messages`,
];
const empty = document.operations().filter((operation) => operation.messages().length === 0);
if (empty.length > 0) {
  console.error(`without messages: ${empty.map((operation) => operation.id()).join(', ')}`);
  process.exit(1);
}
console.log(`   AsyncAPI ${document.version()}, ${document.info().title()} ${document.info().version()}: ${counted.join(', ')}`);
