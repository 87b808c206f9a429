// speedscope.mjs FILE...: what speedscope makes of each file, a JSON object a line:
// importer, title, profile and the rows of its table of functions.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileUrl, npmPath, openPage, withBrowser } from './browser.mjs';

// "1,234 (56%)\n1,234 (56%)\nname" for each row
function tableRows(text) {
	const lines = text.split('\n').map((line) => line.trim()).filter((line) => line);
	const rows = [];

	for (let i = lines.findIndex((line) => line.endsWith('Symbol Name')) + 1; i > 0 && i + 2 < lines.length; i += 3) {
		if (!/\(.*%\)$/.test(lines[i]) || !/\(.*%\)$/.test(lines[i + 1]))
			break;
		rows.push({ symbol: lines[i + 2], total: lines[i], self: lines[i + 1] });
	}
	return rows;
}

await withBrowser(async (browser) => {
	for (const file of process.argv.slice(2)) {
		const name = path.basename(file);
		const loader = path.join(os.tmpdir(), `speedscope-${process.pid}.js`);
		const data = fs.readFileSync(file).toString('base64');
		const log = [];

		fs.writeFileSync(loader,
			`speedscope.loadFileFromBase64(${JSON.stringify(name)}, ${JSON.stringify(data)})`);
		const page = await openPage(browser, 'about:blank');
		page.on('console', (message) => log.push(message.text()));
		await page.goto(fileUrl(npmPath('speedscope/dist/release/index.html')) +
			'#localProfilePath=' + loader);
		await page.waitForFunction('document.body.innerText.includes("Sandwich")');
		await page.keyboard.press('3');
		await page.waitForFunction('/Symbol Name[^]*%[)]/.test(document.body.innerText)');
		const text = await page.evaluate('document.body.innerText');
		console.log(JSON.stringify({
			importer: log.find((line) => line.startsWith('Importing')) || '',
			complaints: page.complaints,
			title: await page.title(),
			profile: text.split('\n')[1],
			rows: tableRows(text),
		}));
		await page.close();
		fs.unlinkSync(loader);
	}
});
