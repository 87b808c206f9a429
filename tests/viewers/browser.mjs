// Chromium without a window, for the scripts beside this one. Packages are those of NPM_DIR.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

export const require = createRequire(path.join(process.env.NPM_DIR, 'package.json'));
export const npmPath = (name) => path.join(process.env.NPM_DIR, 'node_modules', name);
export const fileUrl = (name) => pathToFileURL(path.resolve(name)).href;

// How long a browser, a page or an element of it may take on a slow machine, in ms.
const patience = 240000;

// Run VISIT with a new browser; ends with status 1 where it throws.
export async function withBrowser(visit) {
	const puppeteer = require('puppeteer-core');
	const browser = await puppeteer.launch({
		executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
		headless: true,
		timeout: patience,
		protocolTimeout: patience,
		args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync', '--enable-unsafe-swiftshader', '--use-gl=angle',
			'--use-angle=swiftshader', '--allow-file-access-from-files'],
	});
	try {
		await visit(browser);
	} catch (error) {
		console.error(error);
		process.exitCode = 1;
	} finally {
		await browser.close();
	}
}

// A page of BROWSER at URL, and what it complained of and loaded in page.complaints, page.requests.
export async function openPage(browser, url) {
	const page = await browser.newPage();

	page.complaints = [];
	page.requests = [];
	page.on('pageerror', (error) => page.complaints.push(String(error)));
	page.on('dialog', async (dialog) => {
		page.complaints.push('dialog: ' + dialog.message());
		await dialog.dismiss();
	});
	page.on('console', (message) => {
		if (message.type() === 'error')
			page.complaints.push(message.text());
	});
	page.on('request', (request) => page.requests.push(request.url()));
	page.setDefaultTimeout(patience);
	await page.setViewport({ width: 1280, height: 800 });
	await page.goto(url);
	return page;
}
