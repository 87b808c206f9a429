// dh_view_tree.cjs FILE...: what valgrind's dh_view.js builds of each DHAT file, a JSON object a line: the
// sums of its root. Runs the viewer's own code without a browser; ends with status 1 where it throws.
'use strict';
const fs = require('node:fs');
const vm = require('node:vm');

const viewer = fs.readFileSync(process.env.DH_VIEW || '/usr/libexec/valgrind/dh_view.js', 'utf8');
// the viewer asks its menu which sort metrics it may offer
const build = `(function (text) {
	gSelect = { childNodes: gSelectData.map(() => ({})), selectedIndex: 0 };
	gData = JSON.parse(text);
	buildTree();
	return JSON.stringify({
		points: gData.pps.length, bytes: gRoot._totalBytes, blocks: gRoot._totalBlocks,
		lifetimes: gRoot._totalLifetimes, max_bytes: gRoot._atTGmaxBytes,
		max_blocks: gRoot._atTGmaxBlocks, end_bytes: gRoot._atTEndBytes,
		end_blocks: gRoot._atTEndBlocks,
	});
})`;

for (const file of process.argv.slice(2)) {
	const page = vm.createContext({ document: {}, performance, Intl, console });

	try {
		console.log(vm.runInContext(viewer + ';' + build, page)(fs.readFileSync(file, 'utf8')));
	} catch (error) {
		console.error(`${file}: ${error}`);
		process.exitCode = 1;
	}
}
