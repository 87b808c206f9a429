// schema.mjs FILE...: is each file what speedscope's own schema asks for? Status 1: no.
import fs from 'node:fs';
import { npmPath, require } from './browser.mjs';

const Ajv = require('ajv');
const schema = JSON.parse(fs.readFileSync(npmPath('speedscope/dist/release/file-format-schema.json')));
const validate = new Ajv({ strict: false }).compile(schema);

for (const file of process.argv.slice(2)) {
	if (validate(JSON.parse(fs.readFileSync(file))))
		continue;
	console.log(file, JSON.stringify(validate.errors.slice(0, 3)));
	process.exitCode = 1;
}
